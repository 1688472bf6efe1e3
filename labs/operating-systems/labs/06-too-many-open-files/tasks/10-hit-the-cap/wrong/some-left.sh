#!/bin/bash
# That process has opened some, but it has numbers left.
# shellcheck disable=SC2034
bash
ulimit -n 32
for i in {1..10}; do exec {fd}</etc/hostname || break; done
