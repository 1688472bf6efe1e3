#!/bin/bash
answer the-gap "$(ps -u learner -o pid=,vsz=,rss= | awk '{ print $2 - $3, $1 }' | sort -n | tail -1 | cut -d ' ' -f 2)"
