#!/bin/bash
# The wall stands where it stood, and `hog` met it again.
hog
hog
