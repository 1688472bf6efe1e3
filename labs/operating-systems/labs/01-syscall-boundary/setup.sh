#!/bin/bash
# Hides two values that differ for each sandbox: mystery's path and drip's count.
# Both derive from SN_SEED, and the checks derive them again.
set -euo pipefail

mkdir -p /run/lab
printf '%s\n' "$(derive mystery)" >/run/lab/mystery.seed
printf '%d\n' "$(drip_count)" >/run/lab/drip.count
chmod 0755 /run/lab
chmod 0444 /run/lab/mystery.seed /run/lab/drip.count
