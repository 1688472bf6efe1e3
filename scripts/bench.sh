#!/bin/bash
# Measures against the targets, without tests, in well under ten minutes. Trust the
# ratios, and those of a quiet machine: what else runs here costs the most.
set -euo pipefail
cd "$(dirname "$0")/.."

run() { go run ./scripts/benchsum go test -run '^$' -timeout 10m -p 1 "$@"; }

echo "load before: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) CPUs"
run -bench . -benchtime 200ms ./labs/... ./images/... ./sandbox/link
run -bench . -benchtime 20x ./sandbox/docker
run -bench 'EngineStart' -benchtime 30x ./cmd/sysnerd/service
run -bench 'EngineCrowd|EngineIdle' -benchtime 3x ./cmd/sysnerd/service
run -bench . -skip 'Echo|Verdict|ChecksASecond' -benchtime 300x ./web
run -bench 'Echo' -benchtime 1500x ./web
run -bench 'Verdict|ChecksASecond' -benchtime 30x ./web
run -bench 'Key' -benchtime 800x ./cmd/sysnerd/rehearse
run -bench 'Bulk' -benchtime 12x ./cmd/sysnerd/rehearse
run -bench 'Class|Printing|Stalled' -benchtime 1x ./cmd/sysnerd/rehearse
(cd web/browsertest && npm ci --no-audit --no-fund --silent && node --test course-speed.test.mjs) |
    grep -E 'KiB|worst of|^ok|^not ok'
echo "load after: $(cut -d' ' -f1-3 /proc/loadavg)"
