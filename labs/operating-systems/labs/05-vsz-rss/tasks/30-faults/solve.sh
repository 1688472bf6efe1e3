#!/bin/bash
promise &
sleep 0.5
before=$(ps -o min_flt= -p $!)
kill -USR1 $!
sleep 0.5
after=$(ps -o min_flt= -p $!)
answer faults $((after - before))
