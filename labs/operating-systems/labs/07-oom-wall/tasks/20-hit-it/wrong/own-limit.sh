#!/bin/bash
# `hog` ended by itself with status 1: it was refused, not killed.
(ulimit -v 131072; hog)
echo "status $?"
