#!/bin/bash
strace -c -e trace=write drip >/dev/null
answer batching "$(strace -e trace=write drip 2>&1 >/dev/null | grep -c '^write(1,')"
