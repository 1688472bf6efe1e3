#!/bin/bash
promise &
sleep 0.5
kill -USR1 $!
ps -p $! -o pid,vsz,rss
