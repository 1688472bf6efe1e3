#!/bin/bash
# The zombie is still there. It has ended already, so a signal changes nothing.
careless &
until pgrep -r Z careless; do :; done
answer zombie "$(pgrep -r Z careless)"
kill -9 "$(pgrep -r Z careless)"
