#!/bin/bash
# The kernel ended a process of yours for want of memory. It was not `hog`.
tail /dev/zero
