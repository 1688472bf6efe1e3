#!/bin/bash
keeper & sleep 1
cp "$(find /proc/$!/fd -lname '/tmp/notes-* (deleted)')" ~/rescued
