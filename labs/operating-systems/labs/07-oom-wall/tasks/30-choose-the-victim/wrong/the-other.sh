#!/bin/bash
# The kernel took `important`: of all scores its was the highest.
choom -n 1000 -- important &
sleep 0.5
greedy 5
