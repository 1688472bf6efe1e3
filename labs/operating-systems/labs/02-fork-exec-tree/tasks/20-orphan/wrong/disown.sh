#!/bin/bash
# `disown` took `sleep` off the list of jobs. Its parent is still your shell.
sleep 300 &
disown
