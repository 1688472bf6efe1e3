#!/bin/bash
# Fuzzes each target. Argument: seconds for each. Prints one PASS or FAIL line a target.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

seconds=${1:?seconds for each target}
failed=0
while IFS=: read -r file target; do
    package=./$(dirname "$file")
    if said=$(go test -run '^$' -fuzz "^$target\$" -fuzztime "${seconds}s" -timeout 10m "$package" 2>&1); then
        echo "PASS fuzz $package $target"
    else
        printf '%s\n' "$said"
        echo "FAIL fuzz $package $target"
        failed=1
    fi
done < <(git grep --untracked -oE '^func Fuzz[A-Za-z0-9_]*' -- '*_test.go' | sed 's/:func /:/')
exit $failed
