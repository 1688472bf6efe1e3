#!/bin/bash
# Makes sure of what the local engine needs of the machine, unless Docker runs the
# sandboxes: nothing is started that stays.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

! docker_answers || exit 0
[ "$(id -u)" -eq 0 ] || by_sudo || exit 0 # rootless uses neither

[ ! -d /sys/kernel/security/apparmor ] || scripts/packages.sh apparmor_parser=apparmor
mount_cgroups
