#!/bin/bash
leaky leaky.conf & sleep 6
sed -i 's/^close-failed no/close-failed yes/' ~/leaky.conf
kill -HUP $!
