#!/bin/bash
# Passed: a process of the learner, not the shell of his terminal, has a low limit of
# descriptors, and every number that bash would choose, from 10 to the last, is in use.

first=10 # where bash begins when it chooses, redir.c
expected 'a process below your shell with a limit from 16 to 256, and its last descriptor in use'

# full PID LIMIT tells whether every descriptor from first on is in use.
full() {
    local n
    for ((n = first; n < $2; n++)); do
        [[ -L /proc/$1/fd/$n ]] || return 1
    done
}

running ''
low='' own='' usual=0
for pid in "${pids[@]}"; do
    if ! nofile "$pid" || [[ $soft == unlimited ]] || ((soft > 256)); then
        usual=$soft
        continue
    fi
    if terminal_shell "$pid"; then
        own=$pid
    elif ((soft >= 16)) && full "$pid" "$soft"; then
        attempt
        observed "PID $pid: limit $soft, descriptor $((soft - 1)) in use"
        pass "Passed. PID $pid may have $soft descriptors, and $((soft - 1)) was its last."
    else
        low=$pid
    fi
done

if [[ -n ${own:-$low} ]]; then
    # To lower the limit is the first half: so far nothing was tried.
    if [[ -n $own ]] || typed exec || typed for || typed cat; then
        attempt
    fi
    pid=${own:-$low}
    nofile "$pid"
    open=("/proc/$pid/fd/"*)
    observed "PID $pid: limit $soft, in use ${open[*]##*/}"
    evidence "ls /proc/$pid/fd; grep 'open files' /proc/$pid/limits"
    if [[ -n $own ]]; then
        hint 'End this shell: a new one follows, with the usual limit. Then lower it in a child.'
        fail 'You lowered the limit of your terminal'\''s own shell, not of one inside it.'
    fi
    if ((soft < 16)); then
        hint 'Choose a limit that leaves some numbers from 10 on.'
        fail 'Below 16 there is little or nothing to fill: bash chooses from 10 on.'
    fi
    if ((${#open[@]} > 4)); then
        hint 'Go on until an opening fails, and close nothing.'
        fail 'That process has opened some, but it has numbers left.'
    fi
    hint 'A limit says nothing until somebody asks for more.'
    fail 'The limit is low, but nothing was opened against it.'
fi

observed "the processes of yours that live have a limit of $usual"
evidence 'grep "open files" /proc/$$/limits'
while typed ulimit; do
    if [[ $line =~ ulimit[[:space:]]+-[HS]*n[HS]*[[:space:]]*[0-9] ]]; then
        attempt
        hint 'The check looks at a living process. Stay in the shell that is full.'
        fail 'The process with the low limit has ended, and its descriptors with it.'
    fi
done
hint 'Which command shows and sets the limits of a shell?'
fail 'No process of yours has a low limit yet.'
