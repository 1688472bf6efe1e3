#!/bin/bash
# That `sleep` is stopped. It neither runs nor sleeps until it is continued.
sleep 300 &
kill -STOP %1
