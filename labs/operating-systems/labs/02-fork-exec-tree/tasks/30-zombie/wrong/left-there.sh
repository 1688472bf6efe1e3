#!/bin/bash
# That is the zombie. Now have it go.
careless &
until pgrep -r Z careless; do :; done
answer zombie "$(pgrep -r Z careless)"
