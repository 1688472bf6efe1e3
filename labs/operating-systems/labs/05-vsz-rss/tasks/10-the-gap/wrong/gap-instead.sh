#!/bin/bash
# No process has that PID now.
answer the-gap "$(ps -u learner -o vsz=,rss= | awk '{ print $1 - $2 }' | sort -n | tail -1)"
