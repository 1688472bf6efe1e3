#!/bin/bash
# No `listener` runs here now. Its sockets went with it.
listener & sleep 1
inode=$(awk '$4 == "0A" { print $10 }' /proc/net/tcp)
link=$(find /proc/$!/fd -lname "socket:?$inode?")
kill $!
answer which-socket "${link##*/}:$inode"
