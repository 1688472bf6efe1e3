#!/bin/bash
# The count stands because `leaky` is at its limit, and serves nobody.
leaky leaky.conf & sleep 2
prlimit --pid $! --nofile=5:5; sleep 1
