#!/bin/bash
important &
sleep 0.5
choom -n 1000 -- greedy 10
