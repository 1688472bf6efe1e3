#!/bin/bash
# The kernel took `important`: of all scores its was the highest.
important &
sleep 0.5
choom -n 400 -- greedy 5
