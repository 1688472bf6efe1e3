#!/bin/bash
# `hog` came to its end, but with less than its own amount.
hog 200
