#!/bin/bash
# That `promise` touched its pages as it began. Nothing moved since.
promise 64 16 &
sleep 0.5
