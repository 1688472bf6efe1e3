#!/bin/bash
# Your two numbers stand the other way round: the descriptor comes first.
listener & sleep 1
inode=$(awk '$4 == "0A" { print $10 }' /proc/net/tcp)
link=$(find /proc/$!/fd -lname "socket:?$inode?")
answer which-socket "$inode:${link##*/}"
