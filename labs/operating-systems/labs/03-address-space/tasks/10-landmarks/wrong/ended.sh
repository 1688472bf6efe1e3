#!/bin/bash
# No `resident` runs now, so nobody has that address.
resident
answer landmarks "$(grep heap "/proc/$(pgrep -n resident)/maps" | cut -d - -f 1)"
pkill resident; while pgrep -x resident >/dev/null; do sleep 0.05; done
