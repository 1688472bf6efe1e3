#!/bin/bash
# The line names `strace`, but no process of that name ran.
strace() { printf '%s\n' 'usecs/call calls' '100.00 0.000001 1 42 total'; }
strace -c ls /
