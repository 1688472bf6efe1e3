#!/bin/bash
# The count stands because `leaky` is at its limit, and serves nobody.
leaky leaky.conf & sleep 4
prlimit --pid $! --nofile=7:7; sleep 1
