#!/bin/bash
# Signal 9 ended `hog`, but the kernel has not counted a kill for it.
hog & sleep 1; kill -9 $!; wait $!
tail /dev/zero
