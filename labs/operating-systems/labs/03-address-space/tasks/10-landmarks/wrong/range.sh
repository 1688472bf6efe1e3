#!/bin/bash
# That is a range. It starts with the number before the dash.
resident
answer landmarks "$(grep heap "/proc/$(pgrep -n resident)/maps" | cut -d ' ' -f 1)"
