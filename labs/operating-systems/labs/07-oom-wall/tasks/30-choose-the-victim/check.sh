#!/bin/bash
# Passed: the kernel ended the real greedy when memory had run out beside important,
# and important was there before that, and still holds its memory.

cgroup memory.limit
limit=$REPLY limit_file=$cgroup_file
cgroup memory.oom_kills
kills=$REPLY kills_file=$cgroup_file
read -r before </run/lab/oom_kills
fresh=$((kills - before))
keeps=$((140 << 10)) # KiB, of the 150 MiB that important touches

# What greedy has when memory runs out beside important, or a little less.
share=$(((limit >> 20) - 200))
((share = share < 16 ? 16 : share))

# began PID sets REPLY to when the process began, in Unix seconds.
began() {
    local key value line fields boot=0
    while read -r key value _; do
        if [[ $key == btime ]]; then
            boot=$value
        fi
    done </proc/stat
    read -r line 2>/dev/null <"/proc/$1/stat" || return 1
    read -r -a fields <<<"${line##*) }"
    REPLY=$((boot + fields[19] / 100))
}

# living NAME sets REPLY to the PID of the learner's real program of that name.
living() {
    local dir
    for dir in /proc/[0-9]*; do
        if [[ $dir/exe -ef /usr/local/bin/$1 ]] && proc "${dir#/proc/}" Uid && [[ ${REPLY%%[!0-9]*} == "$SN_UID" ]]; then
            REPLY=${dir#/proc/}
            return 0
        fi
    done
    return 1
}

# spared SECONDS tells whether important lives with all its memory, and did already
# at that time. It sets REPLY to its PID.
spared() {
    living important || return 1
    local found=$REPLY
    if began "$found" && ((REPLY <= $1 + 1)) && proc "$found" RssAnon &&
        ((${REPLY//[!0-9]/} >= keeps)) && genuine "$found" important; then
        REPLY=$found
        return 0
    fi
    return 1
}

# Each process ended by signal 9 near the wall was ended by the kernel when it counted
# as many: of greedy how far it came, in MiB, and how many others had come that far.
# Those of important are left out: whom the kernel took then is seen below.
came=() others=0
while ended ''; do
    ((signal == 9)) || continue
    case $command in
    greedy) came+=($((minor / 256))) ;;
    important) ;;
    *) ((others += minor * 4096 >= limit * 3 / 4)) ;;
    esac
done

# counted MIB tells whether all who came as far as that greedy, or nearly, were counted.
counted() {
    local mib near=$others
    for mib in "${came[@]}"; do
        near=$((near + (mib >= $1 - 8)))
    done
    ((fresh >= near && fresh > 0 && $1 >= share))
}

lost=''
while ended important; do
    if ((signal == 9 && fresh > 0 && minor / 256 >= 140)); then
        lost=${lost:-$pid}
    fi
done

expected 'the kernel ends `greedy` and counts it as `oom_kill`; `important` lives'
evidence "grep '^oom_kill ' $kills_file"
hint 'While both live, compare their scores beside the wall on this page.'
newest=''
while ran greedy; do
    ((seen)) || lacks inotify || continue # it lives for seconds: who took its name was not seen
    if ((signal == 9)) && counted $((minor / 256)) && spared $((end / 1000)); then
        attempt
        observed "oom_kill $kills; PID $pid ended by signal 9; \`important\` has PID $REPLY"
        pass "Passed. The kernel took \`greedy\`, PID $pid. \`important\`, PID $REPLY, still has its 150 MiB."
    fi
    if [[ -z $newest ]]; then
        newest=$pid how=$signal status_was=$status grown=$((minor / 256))
    fi
done

if [[ -z $newest ]]; then
    if [[ -n $lost ]]; then
        attempt
        observed "oom_kill $kills; \`important\`, PID $lost, ended by signal 9"
        fail 'The kernel took `important`: it had the most points.'
    fi
    if living greedy && grower=$REPLY && living important; then
        observed "oom_score_adj $(<"/proc/$grower/oom_score_adj") of greedy, $(<"/proc/$REPLY/oom_score_adj") of important"
        evidence "cat /proc/$grower/oom_score_adj /proc/$REPLY/oom_score_adj"
        fail 'Both live. Memory has not run out yet.'
    fi
    observed "oom_kill $kills; no \`greedy\` has ended"
    fail '`greedy` and `important` have not met yet.'
fi

attempt
if ((how == 9)); then
    if ! counted "$grown"; then
        observed "oom_kill $kills, before it was $before; \`greedy\` had about $grown MiB"
        hint 'Let the kernel choose, and change what it compares.'
        fail 'Signal 9 ended `greedy`, but not from the kernel: memory had not run out.'
    fi
    if [[ -n $lost ]]; then
        observed "oom_kill $kills; \`greedy\`, PID $newest, and \`important\`, PID $lost, ended by signal 9"
        hint 'Leave `important` running, until the verdict is here.'
        fail 'The kernel took `greedy`, but `important` does not live on: signal 9 ended it, too.'
    fi
    observed "oom_kill $kills; PID $newest ended by signal 9; no \`important\` from before"
    hint 'It has to be there when the kernel chooses.'
    fail 'The kernel took `greedy`, but there was no `important` to be spared.'
fi
if ((how)); then
    observed "PID $newest: ended by signal $how, \`$(kill -l "$how")\`"
    evidence "kill -l $how"
    hint 'Let it run until memory is used up.'
    fail "\`greedy\` was ended by signal $how before memory ran out."
fi
if [[ -n $lost ]]; then
    observed "oom_kill $kills; \`important\`, PID $lost, ended by signal 9"
    fail 'The kernel took `important`: it had the most points.'
fi
if living important; then
    observed "a limit of $limit bytes, and both alive below it"
    evidence "cat $limit_file"
    hint 'The kernel chooses when memory has run out, and not before.'
    fail '`greedy` got all it wanted: there was room for both.'
fi
observed "\`important is not running\`; \`greedy\` ended with status $status_was"
evidence 'pgrep -x important || echo "important is not running"'
hint 'Alone, it fits.'
fail '`greedy` got all it wanted, for `important` did not run beside it.'
