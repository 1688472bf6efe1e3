#!/bin/bash
# Makes sure of a Go that can build this module.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

# Go 1.21 and later fetch the version in go.mod themselves; an older one refuses.
go_works() { command -v go >/dev/null && go list -m >/dev/null 2>&1; }

if go_works; then exit 0; fi

version=$(awk '$1 == "go" { print $2 }' go.mod)
command -v go >/dev/null || scripts/packages.sh go=golang-go
if go_works; then exit 0; fi

# Toolchains are modules too, so even an old Go can fetch one from the module proxy.
# It then lies in the module cache without its execute bits.
say "the go here is too old: fetch Go $version"
toolchain="golang.org/toolchain@v0.0.1-go$version.$(go env GOOS)-$(go env GOARCH)"
said=$(cd / && GOFLAGS='' go mod download -json "$toolchain") || true
fetched=$(awk -F '"' '$2 == "Dir" { print $4 }' <<<"$said")
[ -n "$fetched" ] ||
    die "cannot fetch Go $version with the go here ($(go version)): $(sed -n 's/^\t"Error": //p' <<<"$said"); install Go $version or later, see https://go.dev/dl, and put it on PATH"
rm -rf bin/_go.new bin/_go
mkdir -p bin
cp -r "$fetched" bin/_go.new
chmod -R u+w bin/_go.new
chmod +x bin/_go.new/bin/* bin/_go.new/pkg/tool/*/*
mv bin/_go.new bin/_go
export PATH="$PWD/bin/_go/bin:$PATH"
go_works || die "the Go fetched to bin/_go does not work: remove it, and install Go $version or later, see https://go.dev/dl"
