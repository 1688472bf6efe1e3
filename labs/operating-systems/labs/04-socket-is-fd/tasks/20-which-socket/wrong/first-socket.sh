#!/bin/bash
# That is a socket of `listener`, but no TCP socket.
# shellcheck disable=SC2010
listener & sleep 1
tcp=$(awk 'NR > 1 && $10 > 0 { printf "%s|", $10 }' /proc/net/tcp)
link=$(ls -l /proc/$!/fd | grep socket | grep -v -E "${tcp%|}" | head -1)
answer which-socket "$(sed -E 's/.* ([0-9]+) -> socket:.([0-9]+).*/\1:\2/' <<<"$link")"
