#!/bin/bash
# You had an orphan, but it has ended already. PID 1 collected it.
(sleep 0.2 &)
sleep 1
