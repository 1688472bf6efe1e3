#!/bin/bash
# You raised the limit; the leak goes on.
leaky leaky.conf & sleep 1
prlimit --pid $! --nofile=4096
