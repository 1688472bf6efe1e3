#!/bin/bash
# More was promised. None of it was touched yet.
promise 512 &
sleep 0.5
