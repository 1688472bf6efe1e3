#!/bin/bash
# Seeds how much hog wants, and keeps where the wall and the count of kills stood at
# the beginning. Only this script can write there.
set -e

install -d -m 0755 /run/lab
derive hog >/run/lab/hog.seed
cgroup memory.limit
printf '%s\n' "$REPLY" >/run/lab/limit
cgroup memory.oom_kills
printf '%s\n' "$REPLY" >/run/lab/oom_kills
