#!/bin/bash
# The wall has moved since `hog` met it. Behind it, `hog` has not run yet.
hog
#@ memory 512 MiB
true
