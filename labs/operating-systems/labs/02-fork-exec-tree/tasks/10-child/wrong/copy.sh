#!/bin/bash
# A program that is called `sleep` runs, and it is not the real one.
cp /usr/bin/tail sleep
./sleep -f /dev/null & sleep 0.3
