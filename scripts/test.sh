#!/bin/bash
# Runs every check there is and sums up: "N passed, N failed" is the last line.
# Needs the binary, the engine and the image (make test sees to them). Nothing may be
# skipped: a test that did not run proved nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

# The race detector needs a C compiler.
# strace: the fake engine runs this machine's tools in place of the image's.
# mkfs.ext4: the faults fill a disk.
# hunspell: the course's texts are held against its British dictionary.
# newuidmap: sandboxes of an ordinary user are tested, too.
scripts/packages.sh gcc=gcc shellcheck=shellcheck hunspell=hunspell strace=strace /usr/sbin/mkfs.ext4=e2fsprogs newuidmap=uidmap
[ -e /usr/include/stdio.h ] || scripts/packages.sh /usr/include/stdio.h=libc6-dev
[ -e /usr/share/hunspell/en_GB.dic ] || scripts/packages.sh /usr/share/hunspell/en_GB.dic=hunspell-en-gb
scripts/chromium.sh

results=$(mktemp)
trap 'rm -f "$results"' EXIT

count() { grep -cE "^($1) " "$results" || true; }

# part runs one program whose PASS, FAIL and SKIP lines are counted. It counts as one
# failure itself if it ended badly, or counted nothing, without a line that says so.
part() {
    local title=$1 status=0 passed failed
    shift
    passed=$(count PASS) failed=$(count 'FAIL|SKIP')
    say "$title"
    "$@" 2>&1 | tee -a "$results" || status=$?
    if [ "$(count 'FAIL|SKIP')" -eq "$failed" ] && { [ $status -ne 0 ] || [ "$(count PASS)" -eq "$passed" ]; }; then
        echo "FAIL $title: ended with status $status and no test passed or failed" | tee -a "$results"
    fi
}

part "lint" scripts/lint.sh
# Faults are held against times that people feel, so nothing else runs beside them.
mapfile -t packages < <(go list ./... | grep -v /faulttest)
part "Go tests, with the race detector" go run ./scripts/testsum -- -race -timeout 10m -p 2 "${packages[@]}"
part "labs, each task against its wrong attempts" scripts/labtest.sh
part "faults, on a Docker Engine of their own and on the local one" go run ./scripts/testsum -- -count 1 -timeout 10m ./cmd/sysnerd/faulttest
part "fuzz, a few seconds a target" scripts/fuzz.sh 3
part "browser" scripts/browsertest.sh

passed=$(count PASS) failed=$(count 'FAIL|SKIP')
grep -E '^(FAIL|SKIP) ' "$results" || true
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
