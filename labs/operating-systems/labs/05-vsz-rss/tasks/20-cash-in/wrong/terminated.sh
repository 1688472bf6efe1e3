#!/bin/bash
# That signal ended `promise`. What has ended holds no page.
promise &
sleep 0.5
kill $!
wait
