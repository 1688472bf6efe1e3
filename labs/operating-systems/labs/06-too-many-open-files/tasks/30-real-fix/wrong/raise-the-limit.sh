#!/bin/bash
# You raised the limit; the leak goes on.
leaky leaky.conf & sleep 4
prlimit --pid $! --nofile=4096
