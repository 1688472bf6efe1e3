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

# Node's own report, with its marks in the words that are counted. Below the line of
# totals it repeats what failed.
run() {
    node --test --test-reporter=spec --test-timeout=240000 "$@" 2>&1 | awk '
        /^ℹ / { total = 1 }
        !total && sub(/^ *✔ /, "PASS browser: ") { print; fflush(); next }
        !total && sub(/^ *✖ /, "FAIL browser: ") { print; fflush(); next }
        !total && /^ *﹣ / { sub(/^ *﹣ /, "SKIP browser: ") }
        { print; fflush() }'
}

# Nothing runs beside what measures times. The others wait for most of theirs, so that
# two go side by side.
status=0
timed=./course-speed.test.mjs
run "$timed" || status=$?
GLOBIGNORE=$timed
run --test-concurrency=2 ./*.test.mjs || status=$?
exit $status
