#!/bin/bash
# The wall stands where it stood, and `hog` met it again.
hog
echo 536870912 | tee /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max
hog
