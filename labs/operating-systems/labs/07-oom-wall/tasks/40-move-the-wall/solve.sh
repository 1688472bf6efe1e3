#!/bin/bash
#@ memory 512 MiB
hog; echo "status $?"
