#!/bin/bash
# Builds the sandbox image, for the engine that would run it, if it is not current.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

trap 'exit 130' INT

if command -v apt-get >/dev/null; then
    scripts/packages.sh mmdebstrap=mmdebstrap
fi
if [ "$(id -u)" -eq 0 ] || by_sudo; then
    with_engine bin/sysnerd image build
    exit
fi

# mmdebstrap serves an ordinary user where the kernel lets him have a user namespace, and
# so does the local engine, whose images are then his own.
if command -v apt-get >/dev/null; then
    scripts/packages.sh newuidmap=uidmap
fi
docker_answers || exec bin/sysnerd image build
bin/sysnerd image build || {
    say "that did not work as $(id -un): again as root"
    as_root --preserve-env bin/sysnerd image build
}
