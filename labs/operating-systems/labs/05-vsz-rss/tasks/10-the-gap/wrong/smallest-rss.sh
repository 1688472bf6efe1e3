#!/bin/bash
# That process has the smallest RSS, but it has little mapped too.
answer the-gap "$(ps -u learner -o pid=,comm= --sort=rss | awk '/promise/ { print $1; exit }')"
