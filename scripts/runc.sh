#!/bin/bash
# Builds the runc that go.mod names, unless bin/runc is that one.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

scripts/go.sh
want=$(go list -m -f '{{.Version}}' github.com/opencontainers/runc)
have=$(bin/runc --version 2>/dev/null | awk 'NR == 1 { print "v" $3 }') || true
[ "$have" != "$want" ] || exit 0

scripts/packages.sh gcc=gcc pkg-config=pkg-config
[ -e /usr/include/stdio.h ] || scripts/packages.sh /usr/include/stdio.h=libc6-dev
[ -e /usr/include/seccomp.h ] || scripts/packages.sh /usr/include/seccomp.h=libseccomp-dev
echo "==> build runc $want"
mkdir -p bin
# Static, so that it runs wherever it is copied to.
CGO_ENABLED=1 go build -trimpath -tags 'seccomp netgo osusergo urfave_cli_no_docs' \
    -ldflags '-s -w -extldflags -static' -o bin/runc github.com/opencontainers/runc
