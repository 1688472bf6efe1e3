#!/bin/bash
# That is not the soft limit of the running `leaky`.
# shellcheck disable=SC2012
leaky & sleep 4
answer leak-or-spike "$(ulimit -n):$(ls /proc/$!/fd | wc -l):leak"
