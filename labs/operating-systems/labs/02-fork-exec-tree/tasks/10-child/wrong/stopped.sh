#!/bin/bash
# That `sleep` is stopped. It neither runs nor sleeps until it is continued.
sleep 300 &
until pgrep -x sleep; do :; done
kill -STOP %1
