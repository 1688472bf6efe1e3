#!/bin/bash
# shellcheck disable=SC2317  # check calls the functions below by name
# Checks what can be checked without running anything. Prints one PASS or FAIL line a check.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

scripts/packages.sh shellcheck=shellcheck hunspell=hunspell
[ -e /usr/share/hunspell/en_GB.dic ] || scripts/packages.sh /usr/share/hunspell/en_GB.dic=hunspell-en-gb

failed=0
# check runs a command under a name; what it printed is shown if it failed.
check() {
    local name=$1 said
    shift
    if said=$("$@" 2>&1); then
        echo "PASS $name"
    else
        printf '%s\n' "$said"
        echo "FAIL $name"
        failed=1
    fi
}

formatted() {
    local bad
    bad=$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l)
    [ -z "$bad" ] || { echo "not formatted by gofmt:"; echo "$bad"; return 1; }
}

# Files without an interpreter line are fed to bash, so they are checked as bash.
shell_clean() {
    git ls-files -co --exclude-standard '*.sh' .ci/run 'images/files/bash.bashrc' |
        xargs -r shellcheck --shell=bash --external-sources
}

# A tree in which nothing was built yet must be one that tools can read.
vet_unbuilt() {
    local tree status=0
    tree=$(mktemp -d)
    git ls-files -coz --exclude-standard | tar --create --null --files-from=- --ignore-failed-read 2>/dev/null |
        tar --extract --directory "$tree"
    (cd "$tree" && go vet ./...) || status=$?
    rm -rf "$tree"
    return "$status"
}

check "gofmt" formatted
check "go vet" go vet ./...
check "staticcheck" go tool staticcheck ./...
check "go vet of a tree that was not built" vet_unbuilt
check "shellcheck" shell_clean
check "labs and the course's texts" go run ./cmd/sysnerd lab lint
check "UI types" npm --prefix web/ui run --silent check
exit $failed
