#!/bin/bash
# Makes sure of a node and npm that can build the UI and drive a browser.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

oldest=20
wanted=22

node_works() {
    node -e "process.exit(parseInt(process.versions.node) < $oldest ? 1 : 0)"
}

scripts/packages.sh node=nodejs npm=npm
if node_works; then exit 0; fi

# Debian 12 has 18. Node is an npm package too, so the old one can fetch a newer.
say "the node here is too old: fetch node $wanted"
rm -rf bin/_node.new bin/_node
mkdir -p bin/_node.new
npm install --prefix bin/_node.new --no-save --no-audit --no-fund --loglevel=error "node@$wanted" ||
    die "cannot fetch node $wanted: install node $oldest or later, see https://nodejs.org"
mv bin/_node.new bin/_node
export PATH="$PWD/bin/_node/node_modules/node/bin:$PATH"
node_works || die "the node fetched to bin/_node does not work: remove it, and install node $oldest or later, see https://nodejs.org"
