#!/bin/bash
# `keeper` has ended. With its last descriptor the kernel freed the file.
keeper & sleep 1
note=$(find /proc/$!/fd -lname '/tmp/notes-* (deleted)')
kill $!; wait
cp "$note" ~/rescued
