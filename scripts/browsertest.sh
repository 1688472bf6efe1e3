#!/bin/bash
# Drives the built server in a real browser. Prints one PASS or FAIL line a test.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

cd web/browsertest
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    say "fetch the browser test's modules"
    npm ci --no-audit --no-fund --loglevel=error
    touch node_modules/.package-lock.json
fi
exec npm test --silent
