#!/bin/bash
# Below 16 there is little or nothing to fill: bash chooses from 10 on.
# shellcheck disable=SC2034
bash
ulimit -n 8
for i in {1..20}; do exec {fd}</etc/hostname || break; done
