#!/bin/bash
# Seeds promise, and starts five of it as the learner, in an order that differs for
# each sandbox. One has the largest VSZ, and is in memory for a good part; another
# has the widest gap between VSZ and RSS.
set -e

install -d -m 0755 /run/lab
derive promise >/run/lab/promise.seed
: >/run/lab/promises

# start MAPPED TOUCHED starts a promise that outlives this script, and waits for it.
start() {
    setsid --fork setpriv --reuid "$SN_UID" --regid "$SN_UID" --clear-groups --no-new-privs \
        --inh-caps=-all --bounding-set=-all env -i PATH=/usr/local/bin:/usr/bin:/bin \
        promise "$1" "$2" </dev/null >/dev/null 2>&1
    if ! waitfor 5 waits "$1" "$2"; then
        echo "promise $1 $2 does not wait" >&2
        exit 1
    fi
}

# waits MAPPED TOUCHED: such a promise sleeps, so it has touched what it should.
waits() {
    local pid
    for pid in $(pgrep -u "$SN_UID" -x -f "promise $1 $2"); do
        proc "$pid" State
        if [[ $REPLY == S* ]] && proc "$pid" RssAnon && ((${REPLY//[!0-9]/} >= $2 * 1024)); then
            printf '%s\n' "$pid" >>/run/lab/promises
            return 0
        fi
    done
    return 1
}

most=$(derive_number gap 600 900)
mapfile -t roles < <(for role in largest widest half quarter eighth; do printf '%s %s\n' "$(derive "$role")" "$role"; done | sort)
for role in "${roles[@]#* }"; do
    case $role in
    largest) start $((most + 12)) 20 ;;
    widest) start "$most" 1 ;;
    half) start $((most / 2)) 10 ;;
    quarter) start $((most / 4)) 5 ;;
    eighth) start $((most / 8)) 0 ;;
    esac
done
