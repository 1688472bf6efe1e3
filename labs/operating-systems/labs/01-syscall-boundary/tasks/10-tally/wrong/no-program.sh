#!/bin/bash
# `strace` found no program to run.
strace -c no-such-program
