#!/bin/bash
# That address lies in no region of the `resident` that runs.
resident
answer landmarks "0x$(grep heap /proc/self/maps | cut -d - -f 1)"
