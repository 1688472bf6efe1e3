#!/bin/bash
# The running `listener` has no such descriptor.
listener & sleep 1
answer which-socket "$((16#$(awk '$4 == "0A" { print substr($2, 10) }' /proc/net/tcp))):$(awk '$4 == "0A" { print $10 }' /proc/net/tcp)"
