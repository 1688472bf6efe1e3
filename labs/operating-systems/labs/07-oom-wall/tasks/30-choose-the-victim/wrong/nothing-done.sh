#!/bin/bash
# The kernel took `important`: it had the most points.
important &
sleep 0.5
greedy 5
