#!/bin/bash
# The notes went through this terminal. No file holds them yet.
keeper & sleep 1
cat "$(find /proc/$!/fd -lname '/tmp/notes-* (deleted)')"
