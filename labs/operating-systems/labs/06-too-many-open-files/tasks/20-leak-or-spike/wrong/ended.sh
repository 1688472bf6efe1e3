#!/bin/bash
# No `leaky` runs here now, so it has neither limit nor count.
leaky & sleep 1
limit=$(awk '/open files/ { print $4 }' /proc/$!/limits)
kill $!
answer leak-or-spike "$limit:70:leak"
