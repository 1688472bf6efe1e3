#!/bin/bash
# A `touch-address` died of SIGSEGV, but it did not print here what it read.
touch-address 600000000000 >/dev/null
