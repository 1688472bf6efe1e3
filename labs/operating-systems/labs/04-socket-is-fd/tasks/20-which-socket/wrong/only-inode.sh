#!/bin/bash
# That is not two numbers: the descriptor, a colon, the inode.
listener & sleep 1
answer which-socket "$(awk '$4 == "0A" { print $10 }' /proc/net/tcp)"
