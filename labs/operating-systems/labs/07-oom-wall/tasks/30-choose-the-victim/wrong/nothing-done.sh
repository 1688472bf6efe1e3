#!/bin/bash
# The kernel took `important`: of all scores its was the highest.
important &
sleep 0.5
greedy 5
