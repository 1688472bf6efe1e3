#!/bin/bash
# `rescued` has the notes, but not byte for byte.
# shellcheck disable=SC2002
keeper & sleep 1
cat "$(find /proc/$!/fd -lname '/tmp/notes-* (deleted)')" | cut -d ' ' -f 3 >~/rescued
