#!/bin/bash
# 4032 is the number of bytes, not of calls.
answer batching "$(drip | wc -c)"
