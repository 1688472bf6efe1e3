#!/bin/bash
# Serves the course. Arguments: flags of `sysnerd serve`.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

scripts/local.sh
if by_sudo; then
    say "no Docker Engine answers you: starting by sudo; the pages run as an ordinary user"
    exec sudo --preserve-env bin/sysnerd serve "$@"
fi
exec bin/sysnerd serve "$@"
