#!/bin/bash
# You lowered the limit of your terminal's own shell, not of one inside it.
# shellcheck disable=SC2034
ulimit -n 16
for i in {1..20}; do exec {fd}</etc/hostname || break; done
