#!/bin/bash
# That `sleep` runs in the foreground: your shell waits for its end.
#@ start sleep 300
#@ tab 2
until pgrep -x sleep; do :; done
