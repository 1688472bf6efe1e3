#!/bin/bash
# The process with the low limit has ended, and its descriptors with it.
bash -c 'ulimit -n 16; for i in {1..20}; do exec {fd}</etc/hostname || break; done'
