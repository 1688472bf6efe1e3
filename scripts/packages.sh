#!/bin/bash
# Installs the distribution's packages whose command is missing.
# Arguments: COMMAND=PACKAGE ...
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

missing=()
for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null ||
    die "install these yourself, this is neither Debian nor Ubuntu: ${missing[*]}"

say "install ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# An installation that was cut off leaves packages half done.
{
    as_root dpkg --configure -a &&
        as_root apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "${missing[@]}"
} >"$log" 2>&1 </dev/null || {
    tail -n 20 "$log" >&2
    die "could not install ${missing[*]}; what apt-get said last stands above"
}
