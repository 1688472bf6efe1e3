#!/bin/bash
# Makes sure of a Chromium for the browser test.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

for browser in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    if [ -n "$browser" ] && command -v "$browser" >/dev/null; then exit 0; fi
done
# Ubuntu has it as a snap only, under the name of chromium-browser.
if [ "$(. /etc/os-release && echo "$ID")" = ubuntu ]; then
    scripts/packages.sh chromium=chromium-browser
else
    scripts/packages.sh chromium=chromium
fi
