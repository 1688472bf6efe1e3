#!/bin/bash
# That is what RSS is or rose by, in KiB. Faults come by the page.
promise &
sleep 0.5
before=$(ps -o rss= -p $!)
kill -USR1 $!
sleep 0.5
after=$(ps -o rss= -p $!)
answer faults $((after - before))
