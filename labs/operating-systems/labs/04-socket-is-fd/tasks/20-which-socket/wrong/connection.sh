#!/bin/bash
# That socket is one end of a connection. It does not listen.
listener & sleep 1
inode=$(awk '$4 == "01" { print $10; exit }' /proc/net/tcp)
link=$(find /proc/$!/fd -lname "socket:?$inode?")
answer which-socket "${link##*/}:$inode"
