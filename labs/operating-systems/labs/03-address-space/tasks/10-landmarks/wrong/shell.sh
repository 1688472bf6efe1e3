#!/bin/bash
# That is where the heap of your shell starts.
resident
answer landmarks "$(grep heap /proc/$$/maps | cut -d - -f 1)"
