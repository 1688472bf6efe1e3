#!/bin/bash
# `hog` ended by itself with status 0: all it took is below the wall.
hog 64
