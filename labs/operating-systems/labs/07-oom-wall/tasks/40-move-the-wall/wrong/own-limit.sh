#!/bin/bash
# `hog` ended with status 1: it was refused what it asked for.
(ulimit -v 262144; hog)
echo "status $?"
