#!/bin/bash
# The parent of that `sleep` is another program, not the shell that you type into.
bash -c 'sleep 300; true' &
until pgrep -x sleep; do :; done
