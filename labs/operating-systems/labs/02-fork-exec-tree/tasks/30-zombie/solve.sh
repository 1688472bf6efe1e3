#!/bin/bash
careless &
until pgrep -r Z careless; do :; done
answer zombie "$(pgrep -r Z careless)"
kill -USR1 %1
