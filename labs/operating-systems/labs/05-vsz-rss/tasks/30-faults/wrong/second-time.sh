#!/bin/bash
# So few faults come when the pages were there already.
promise &
sleep 0.5
kill -USR1 $!
sleep 0.5
before=$(ps -o min_flt= -p $!)
kill -USR1 $!
sleep 0.5
after=$(ps -o min_flt= -p $!)
answer faults $((after - before))
