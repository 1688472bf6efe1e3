#!/bin/bash
# The kernel took `important`: it had the most points.
choom -n 1000 -- important &
sleep 0.5
greedy 5
