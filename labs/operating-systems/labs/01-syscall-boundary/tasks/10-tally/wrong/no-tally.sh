#!/bin/bash
# `strace` ran `ls`, but printed every call instead of a tally.
strace ls /
