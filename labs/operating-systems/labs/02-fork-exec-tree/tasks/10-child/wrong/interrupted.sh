#!/bin/bash
# That `sleep` ran in the foreground: your shell waited until it had ended.
#@ start sleep 300
#@ tab 2
until pgrep -x sleep; do :; done
#@ tab 1
#@ interrupt
