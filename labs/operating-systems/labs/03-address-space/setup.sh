#!/bin/bash
# Seeds what resident asks and the receipts of touch-address, and begins the list of
# the answers that whose-page has seen.
set -e

install -d -m 0755 /run/lab
derive resident >/run/lab/resident.seed
derive touch-address >/run/lab/touch-address.seed
rm -f /run/lab/asked
install -m 0600 /dev/null /run/lab/asked
