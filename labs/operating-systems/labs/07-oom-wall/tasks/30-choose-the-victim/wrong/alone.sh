#!/bin/bash
# `greedy` got all it wanted, for `important` did not run beside it.
choom -n 1000 -- greedy 5
