#!/bin/bash
# Signal 9 ended `hog`, but not from the kernel: its count did not move for it.
hog & sleep 1; kill -9 $!; wait $!
