#!/bin/bash
# The kernel took `important`: it had the most points.
important &
sleep 0.5
choom -n 400 -- greedy 5
