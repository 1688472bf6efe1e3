#!/bin/bash
# `ls` ended with status 2. The tally is of a program that failed.
strace -c ls /no/such/folder
