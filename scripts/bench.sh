#!/bin/bash
# Runs every benchmark once over, without tests.
set -euo pipefail
cd "$(dirname "$0")/.."

exec go test -run '^$' -bench . -benchmem -timeout 20m -p 1 ./...
