#!/bin/bash
listener & sleep 1
inode=$(awk '$4 == "0A" { print $10 }' /proc/net/tcp)
link=$(find /proc/$!/fd -lname "socket:?$inode?")
answer which-socket "${link##*/}:$inode"
