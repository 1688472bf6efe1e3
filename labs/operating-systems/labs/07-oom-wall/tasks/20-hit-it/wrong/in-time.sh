#!/bin/bash
# `hog` was ended by signal 15 before it came to the wall.
timeout 0.5 hog
