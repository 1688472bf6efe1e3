#!/bin/bash
# A program called `strace` ran, and it was not the real one.
printf '%s\n' '#!/bin/sh' 'echo usecs/call calls' 'echo 100.00 0.000001 1 42 total' >strace
chmod +x strace
./strace -c ls /
