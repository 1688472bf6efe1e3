#!/bin/bash
# `rescued` has the beginning of the file, and not the rest.
keeper & sleep 1
head -2 "$(find /proc/$!/fd -lname '/tmp/notes-* (deleted)')" >~/rescued
