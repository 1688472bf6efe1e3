#!/bin/bash
# Makes sure of a node and npm that can build the UI.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

oldest=18
scripts/packages.sh node=nodejs npm=npm
node -e "process.exit(parseInt(process.versions.node) < $oldest ? 1 : 0)" ||
    die "node $(node --version) is too old: install version $oldest or later, see https://nodejs.org"
