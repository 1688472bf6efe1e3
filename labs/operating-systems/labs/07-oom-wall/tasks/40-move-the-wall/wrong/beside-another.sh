#!/bin/bash
# Beside what still runs, `hog` has no room behind the new wall.
important &
until pgrep -x important; do :; done
#@ memory 440 MiB
hog
