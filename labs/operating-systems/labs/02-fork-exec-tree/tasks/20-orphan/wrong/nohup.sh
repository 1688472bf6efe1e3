#!/bin/bash
# `nohup` has `sleep` ignore the signal SIGHUP. Its parent is still your shell.
nohup sleep 300 &
until pgrep -x sleep; do :; done
