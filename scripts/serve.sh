#!/bin/bash
# Serves the course. Arguments: flags of `sysnerd serve`.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

scripts/local.sh
if [ "$(id -u)" -eq 0 ] || engine_answers; then
    exec bin/sysnerd serve "$@"
fi
say "sandboxes are root's here: starting by sudo; the pages run as an ordinary user"
exec sudo --preserve-env bin/sysnerd serve "$@"
