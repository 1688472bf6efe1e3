#!/bin/bash
answer secret-path "$(strace -e trace=openat mystery 2>&1 | grep -o '/etc/[a-z]*\.conf')"
