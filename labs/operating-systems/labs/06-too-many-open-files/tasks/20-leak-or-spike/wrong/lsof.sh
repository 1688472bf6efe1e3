#!/bin/bash
# `leaky` has fewer descriptors than that.
leaky & sleep 4
limit=$(awk '/open files/ { print $4 }' /proc/$!/limits)
answer leak-or-spike "$limit:$(lsof -p $! | wc -l):leak"
