# shellcheck shell=bash
# Sourced by the other scripts: how they speak, and how they become root.

say() { printf '==> %s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# as_root runs a command as root, by sudo if need be. With --preserve-env it keeps the environment.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        [ "$1" != --preserve-env ] || shift
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "need root for: $*; run as root, or install sudo"
    fi
}

# engine_answers asks the engine that would run the sandboxes for a word.
engine_answers() { bin/sysnerd image list >/dev/null 2>&1; }

# docker_answers asks the Docker Engine of DOCKER_HOST, or the default one, unless
# another engine is named.
docker_answers() {
    [ "${SYSNERD_ENGINE:-docker}" != local ] && SYSNERD_ENGINE=docker engine_answers
}

# Without an init system nobody may have mounted the cgroups.
mount_cgroups() {
    if ! grep -Eq '^[^ ]+ [^ ]+ cgroup2? ' /proc/mounts; then
        say "mount the cgroups"
        as_root mount -t cgroup2 cgroup2 /sys/fs/cgroup
    fi
}

# by_sudo says whether an ordinary user runs the sandboxes by sudo: where no Docker Engine
# answers him, and sudo lets him. Who has neither runs them rootless.
by_sudo() {
    [ "$(id -u)" -ne 0 ] && ! docker_answers && command -v sudo >/dev/null && sudo -v
}

# with_engine runs a command as whoever may use the engine.
with_engine() {
    if by_sudo; then
        say "no Docker Engine answers you: going on by sudo"
        as_root --preserve-env "$@"
    else
        "$@"
    fi
}
