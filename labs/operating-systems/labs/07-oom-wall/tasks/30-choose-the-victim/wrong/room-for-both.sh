#!/bin/bash
# `greedy` got all it wanted: there was room for both.
#@ memory 512 MiB
important &
sleep 0.5
choom -n 1000 -- greedy 5
