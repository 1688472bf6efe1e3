#!/bin/bash
# `hog` ended by itself with status 0: all it took is below the wall.
hog 16; (exit 137); echo "status $?"
