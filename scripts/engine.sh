#!/bin/bash
# Makes sure that a Docker Engine answers: installs and starts one where none does. The
# sandboxes need none: this is for whoever asks for it, and for the tests of it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

log=${SYSNERD_DOCKERD_LOG:-/var/log/sysnerd-dockerd.log}
pidfile=/var/run/docker.pid

# A dead one that nobody has reaped does not count.
running() { pgrep -x -r D,R,S,T dockerd >/dev/null; }

# wait_for gives a condition some seconds to come true.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.2
    done
}

export SYSNERD_ENGINE=docker
answers() { engine_answers || as_root --preserve-env bin/sysnerd image list >/dev/null 2>&1; }
answers_or_died() { answers || ! running; }

if answers; then exit 0; fi
[ -z "${DOCKER_HOST:-}" ] || die "no engine answers at $DOCKER_HOST; unset DOCKER_HOST to use one of this machine"

parser=()
[ ! -d /sys/kernel/security/apparmor ] || parser=(apparmor_parser=apparmor)
scripts/packages.sh dockerd=docker.io iptables=iptables pgrep=procps "${parser[@]}"

# The package may have started it.
if running && wait_for 10 answers; then exit 0; fi
if running; then
    die "dockerd runs but does not answer; look at its log, stop it, and start again"
fi

if [ -d /run/systemd/system ]; then
    say "start the engine: systemctl start docker (stop it by: systemctl stop docker docker.socket)"
    as_root systemctl enable --now docker
    wait_for 60 answers || die "the engine does not answer; see: journalctl -u docker"
    exit 0
fi

# A dockerd that was killed leaves its pid file, and its containerd ends a moment
# later; a new one started before that waits for the old one and gives up.
containerd_gone() { ! pgrep -r D,R,S,T -f '^containerd --config /var/run/docker/containerd/containerd.toml' >/dev/null; }
containerd_gone || say "wait for the last engine's containerd to end"
wait_for 30 containerd_gone ||
    die "a containerd of an earlier dockerd does not end: pid $(pgrep -of '^containerd --config /var/run/docker/containerd'); stop it, and start again"
as_root rm -f "$pidfile"

mount_cgroups

say "start the engine: dockerd --live-restore, log in $log"
# In a session of its own, so that Ctrl-C here does not end it.
# shellcheck disable=SC2016  # $1 is that of the shell which it starts
as_root setsid --fork sh -c 'exec dockerd --live-restore >>"$1" 2>&1 </dev/null' sh "$log"
wait_for 5 running || true
wait_for 60 answers_or_died || true
answers || {
    as_root tail -n 5 "$log" >&2
    die "the engine did not start; the end of its log, $log, stands above"
}
say "the engine runs; to stop it: kill \$(cat $pidfile)"
