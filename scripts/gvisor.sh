#!/bin/bash
# Runs the suite of engines in sandboxes under gVisor, on the local engine and on Docker:
# with the runsc on PATH, or else with one that is built from its module. The Docker Engine
# is one of its own, in memory of this run only, so that the machine's need not know runsc.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

[ "$(id -u)" -eq 0 ] || die "an engine of its own takes root: run it by sudo"

# Read beside the gaps in sandbox/gvisor when it is moved.
version=v0.0.0-20260905035102-160fafc42237
if ! runsc=$(command -v runsc); then
    runsc=$PWD/bin/runsc
    if [ ! -x "$runsc" ]; then
        say "build runsc from its module (some minutes; 80 MB)"
        # With cgo its file server dies after its chroot, for want of libraries.
        GOBIN=$PWD/bin CGO_ENABLED=0 go install -trimpath -ldflags '-s -w' "gvisor.dev/gvisor/runsc@$version"
    fi
fi
"$runsc" --version

suite() { go test -count 1 -timeout 30m -tags gvisor -run UnderGVisor -v "$@"; }

say "the local engine"
PATH=$(dirname "$runsc"):$PATH suite ./sandbox/local

dir=$(mktemp -d /var/tmp/sysnerd-gvisor-XXXXXX)
dockerd=
finish() {
    if [ -n "$dockerd" ]; then
        docker --host "unix://$dir/docker.sock" ps --all --quiet | xargs -r docker --host "unix://$dir/docker.sock" rm --force >/dev/null || true
        kill "$dockerd" 2>/dev/null || true
        wait "$dockerd" || true
    fi
    # gVisor leaves mounts of network namespaces there.
    awk -v dir="$dir/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r | xargs -r -n 1 umount -l
    rm -rf "$dir"
    # Docker leaves the parent of its cgroups there.
    find /sys/fs/cgroup -depth -type d -path "*/${dir##*/}*" -exec rmdir {} + 2>/dev/null || true
}
trap finish EXIT
trap 'exit 130' INT TERM

# Without that flag it ignores the profile's filter of system calls.
printf '#!/bin/sh\nexec %q --oci-seccomp "$@"\n' "$runsc" >"$dir/runsc"
chmod 755 "$dir/runsc"

say "Docker: start an engine that knows runsc, in $dir"
dockerd --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/pid" --host "unix://$dir/docker.sock" \
    --bridge none --iptables=false --ip-masq=false --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/${dir##*/}" \
    --add-runtime "runsc=$dir/runsc" >"$dir/log" 2>&1 </dev/null &
dockerd=$!
until docker --host "unix://$dir/docker.sock" version >/dev/null 2>&1; do
    kill -0 "$dockerd" 2>/dev/null || { tail -n 5 "$dir/log" >&2; die "the engine did not start"; }
    sleep 0.2
done

image=$(bin/sysnerd image list --engine docker --json | awk -F '"' '$2 == "tag" && $4 ~ /^sysnerd\/sandbox:/ { tag = $4 } /"current": true/ && tag { print tag; exit }')
[ -n "$image" ] || die "there is no current sandbox image; build it: make image ENGINE=docker"
docker save "$image" | docker --host "unix://$dir/docker.sock" load

DOCKER_HOST=unix://$dir/docker.sock suite ./sandbox/docker
