#!/bin/bash
# That is the hard limit of `leaky`. It meets the soft one first.
# shellcheck disable=SC2012
leaky & sleep 1
answer leak-or-spike "$(awk '/open files/ { print $5 }' /proc/$!/limits):$(ls /proc/$!/fd | wc -l):leak"
