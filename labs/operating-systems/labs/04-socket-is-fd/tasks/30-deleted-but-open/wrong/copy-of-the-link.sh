#!/bin/bash
# `rescued` is a link. It keeps a path, not the content.
keeper & sleep 1
cp -a "$(find /proc/$!/fd -lname '/tmp/notes-* (deleted)')" ~/rescued
