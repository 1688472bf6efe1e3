#!/bin/bash
# That address lies in no region of the `resident` that runs.
resident
address=$(grep heap "/proc/$(pgrep -n resident)/maps" | cut -d - -f 1)
pkill resident
resident
answer landmarks "$address"
