#!/bin/bash
# That is the memory of the whole machine. Your sandbox has a limit of its own.
answer the-wall "$(free -b | awk '/Mem:/ { print $2 }')"
