#!/bin/bash
# That descriptor is a socket, but with another inode.
listener & sleep 1
link=$(find /proc/$!/fd -lname "socket:*" | head -1)
answer which-socket "${link##*/}:1"
