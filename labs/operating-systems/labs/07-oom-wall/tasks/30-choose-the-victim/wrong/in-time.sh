#!/bin/bash
# `greedy` was ended by signal 15 before memory ran out.
important &
sleep 0.5
timeout 0.5 greedy
