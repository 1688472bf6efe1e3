#!/bin/bash
# The kernel took `greedy`, but `important` does not live on: signal 9 ended it, too.
important &
sleep 0.5
choom -n 1000 -- greedy 10
kill -9 %1; wait %1
