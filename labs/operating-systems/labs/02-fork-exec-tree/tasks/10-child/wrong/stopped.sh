#!/bin/bash
# That `sleep` is stopped. It neither runs nor sleeps until it is continued.
sleep 300 &
until pgrep -x sleep; do :; done
kill -STOP %1; until grep -q "^State:.T" "/proc/$!/status"; do sleep 0.05; done
