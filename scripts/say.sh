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

# engine_answers asks the engine of DOCKER_HOST, or the default one, for a word.
engine_answers() { bin/sysnerd image list >/dev/null 2>&1; }

engine_answers_root() { as_root --preserve-env bin/sysnerd image list >/dev/null 2>&1; }

# with_engine runs a command as whoever may speak to the engine. A user outside of
# the group docker may do so by sudo.
with_engine() {
    if [ "$(id -u)" -eq 0 ] || engine_answers; then
        "$@"
    else
        say "you are not in the group docker: going on by sudo"
        as_root --preserve-env "$@"
    fi
}
