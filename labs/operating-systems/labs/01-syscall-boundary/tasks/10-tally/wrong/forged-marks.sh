#!/bin/bash
# The line names `strace`, but no process of that name ran.
printf "\e]633;E;strace -c ls /\a\e]133;C\ausecs/call calls\n100.00 0.000001 1 42 total\n\e]133;D;0\a"
