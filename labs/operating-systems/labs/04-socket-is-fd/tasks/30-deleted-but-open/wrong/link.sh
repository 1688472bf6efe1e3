#!/bin/bash
# `rescued` is a link. It keeps a path, not the content.
keeper & sleep 1
ln -s "$(find /proc/$!/fd -lname '/tmp/notes-* (deleted)')" ~/rescued
