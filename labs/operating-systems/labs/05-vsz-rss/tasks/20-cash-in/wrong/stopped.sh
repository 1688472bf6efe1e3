#!/bin/bash
# That `promise` is stopped: the signal waits until it runs again.
promise &
sleep 0.5
kill -STOP $!
kill -USR1 $!
