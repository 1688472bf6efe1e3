#!/bin/bash
# Signal 9 ended `greedy`, but not from the kernel: memory had not run out.
important &
sleep 0.5
greedy & sleep 1; kill -9 $!; wait $!
