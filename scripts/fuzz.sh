#!/bin/bash
# Fuzzes each target. Argument: seconds for each. Prints one PASS or FAIL line a target.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

seconds=${1:?seconds for each target}

# fuzz runs one target. A busy machine has Go before 1.27 report the end of the time as a
# failure (golang/go#75804). That names no input, and the target is fuzzed again.
fuzz() {
    local package=$1 target=$2 tries
    for ((tries = 0; tries < 3; tries++)); do
        if said=$(go test -run '^$' -fuzz "^$target\$" -fuzztime "${seconds}s" -timeout 10m "$package" 2>&1); then
            return 0
        fi
        [[ $said == *"    context deadline exceeded"* && $said != *"Failing input"* && $said != *panic* ]] || return 1
    done
    return 1
}

failed=0
while IFS=: read -r file target; do
    package=./$(dirname "$file")
    if fuzz "$package" "$target"; then
        echo "PASS fuzz $package $target"
    else
        printf '%s\n' "$said"
        echo "FAIL fuzz $package $target"
        failed=1
    fi
done < <(git grep --untracked -oE '^func Fuzz[A-Za-z0-9_]*' -- '*_test.go' | sed 's/:func /:/')
exit $failed
