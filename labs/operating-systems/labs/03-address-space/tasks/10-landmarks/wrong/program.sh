#!/bin/bash
# That address lies in the program itself: its code or its variables.
resident
answer landmarks "$(head -n 1 "/proc/$(pgrep -n resident)/maps" | cut -d - -f 1)"
