#!/bin/bash
# The limit is low, but nothing was opened against it.
# shellcheck disable=SC2034
bash
ulimit -n 16
for i in {1..20}; do exec {fd}</etc/hostname && exec {fd}<&-; done
