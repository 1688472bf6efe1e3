#!/bin/bash
# shellcheck disable=SC2012
leaky & sleep 4
leaky=$! a=$(ls /proc/$!/fd | wc -l); sleep 4; b=$(ls /proc/$!/fd | wc -l)
limit=$(awk '/open files/ { print $4 }' /proc/$leaky/limits)
answer leak-or-spike "$limit:$b:$( ((b > a + 1)) && echo leak || echo spike)"
