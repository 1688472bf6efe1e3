#!/bin/bash
# That descriptor leads to something else than a socket.
listener & sleep 1
answer which-socket "1:$(awk '$4 == "0A" { print $10 }' /proc/net/tcp)"
