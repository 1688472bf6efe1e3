#!/bin/bash
# Builds the sandbox image if it is not current.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

if command -v apt-get >/dev/null; then
    scripts/packages.sh mmdebstrap=mmdebstrap
fi
with_engine bin/sysnerd image build
