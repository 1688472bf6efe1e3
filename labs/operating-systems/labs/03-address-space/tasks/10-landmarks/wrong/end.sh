#!/bin/bash
# There the heap ends: it is the first address behind it.
resident
answer landmarks "$(grep heap "/proc/$(pgrep -n resident)/maps" | cut -d ' ' -f 1 | cut -d - -f 2)"
