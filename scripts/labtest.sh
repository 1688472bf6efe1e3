#!/bin/bash
# Proves every task of the course in real sandboxes, and holds what learners read there
# against labs/testdata. Prints one PASS or FAIL line a task; bin/labs.xml is for machines.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
with_engine bin/sysnerd lab test --data "$data" --junit bin/labs.xml --golden labs/testdata
