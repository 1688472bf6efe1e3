#!/bin/bash
# A `touch-address` died of SIGSEGV, but it did not print here what it read.
touch-address 0 | sed 's/byte at 0x0/byte at 0x600000000000/'
