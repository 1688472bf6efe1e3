#!/bin/bash
# `leaky` has more descriptors by now.
leaky & sleep 4
limit=$(awk '/open files/ { print $4 }' /proc/$!/limits)
answer leak-or-spike "$limit:3:leak"
