#!/bin/bash
# The zombie is still there: SIGCHLD does not make `careless` call `wait`.
careless &
until pgrep -r Z careless; do :; done
answer zombie "$(pgrep -r Z careless)"
kill -CHLD %1
