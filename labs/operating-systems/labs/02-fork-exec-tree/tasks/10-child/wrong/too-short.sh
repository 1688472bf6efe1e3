#!/bin/bash
# That `sleep` ran in the background, but it has ended already.
sleep 0.5 &
wait
