#!/bin/bash
# That is a part of the path. The kernel was asked for the whole.
answer secret-path "$(strace -e trace=openat mystery 2>&1 | grep -o "[a-z]*\.conf")"
