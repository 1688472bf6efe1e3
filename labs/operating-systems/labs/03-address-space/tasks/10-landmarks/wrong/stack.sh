#!/bin/bash
# That address lies in the stack of `resident`, not in its heap.
resident
answer landmarks "$(grep stack "/proc/$(pgrep -n resident)/maps" | cut -d - -f 1)"
