#!/bin/bash
# That is near, and too high: the start of the program is in it.
promise &
sleep 0.5
kill -USR1 $!
sleep 0.5
answer faults "$(ps -o min_flt= -p $!)"
