#!/bin/bash
# That `promise` is stopped: the signal waits until it runs again.
promise &
sleep 0.5
kill -STOP $!; sleep 0.3
kill -USR1 $!
