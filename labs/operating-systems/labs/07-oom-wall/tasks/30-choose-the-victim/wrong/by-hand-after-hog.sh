#!/bin/bash
# Signal 9 ended `greedy`, but not from the kernel: memory had not run out.
hog
important &
sleep 0.5
greedy 10 & sleep 0.8; kill -9 $!; wait $!
