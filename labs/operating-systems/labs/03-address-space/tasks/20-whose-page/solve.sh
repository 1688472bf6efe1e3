#!/bin/bash
asked=$(resident ask)
pid=$(pgrep -n resident)
region() { awk -v at="$1" '{ split($1, r, "-") } strtonum("0x" r[1]) <= strtonum(at) && strtonum(at) < strtonum("0x" r[2]) { print $6; exit }' "/proc/$pid/maps"; }
word() { case $(region "$1") in */resident) echo text ;; *heap*) echo heap ;; *stack*) echo stack ;; *.so*) echo library ;; *) echo none ;; esac; }
answer whose-page "$(grep -o '0x[0-9a-f]*' <<<"$asked" | while read -r at; do word "$at"; done | paste -s -d ' ')"
