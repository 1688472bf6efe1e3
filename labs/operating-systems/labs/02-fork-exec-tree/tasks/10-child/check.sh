#!/bin/bash
# Passed: a sleep of the learner's lives in the background, and its parent is a shell
# into which he types, both as /proc shows them.

program=/usr/bin/sleep
expected 'a living `sleep` in the background, child of your shell'

# where PID sets parent, group, flags, front: the process group that its terminal is with.
where() {
    local stat
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    read -r _ parent group _ tty front flags _ <<<"${stat##*) }"
}

# typed_into PID: a bash that reads from a terminal, and no script or command. A copy
# of the shell that never executed anything (0x40, PF_FORKNOEXEC) runs parentheses.
typed_into() {
    local word words
    [[ /proc/$1/exe -ef /bin/bash ]] && where "$1" && ((tty != 0 && !(flags & 0x40))) || return 1
    fd "$1" 0 && [[ $REPLY == /dev/pts/* ]] || return 1
    mapfile -d '' -t words <"/proc/$1/cmdline"
    for word in "${words[@]:1}"; do
        [[ $word =~ ^-(-[a-z]+|[il]+)$ ]] || return 1
    done
}

# sleeps sets found to the learner's processes that run the real sleep. A shell that
# was told to start one may still be about to.
sleeps() {
    local pid
    found=()
    running ''
    for pid in "${pids[@]}"; do
        if [[ /proc/$pid/exe -ef $program ]]; then
            found+=("$pid")
        fi
    done
    ((${#found[@]}))
}
word='' newest=''
while typed sleep; do
    word=1 newest=${newest:-$place}
done
for _ in 1 2 3; do
    if sleeps || [[ $newest != 0 ]]; then
        break
    fi
    sleep 0.04
done

message=''
for pid in "${found[@]}"; do
    if ! where "$pid" || ! proc "$pid" State; then
        continue
    fi
    mine=$parent in_front=$((group == front)) state=${REPLY%% *} its_group=$group
    # Without job control all are of one group: then a command that has not ended waits.
    if ((in_front)) && where "$mine" && ((group == its_group)) && typed; then
        in_front=$((finished == 0))
    fi
    who=nobody
    if proc "$mine" Name; then
        who=$REPLY
    fi
    observed "PID $pid; its parent is $mine, \`$who\`"
    evidence "ps -o pid,ppid,stat,comm -p $pid,$mine"
    attempt
    if ((mine == 1)); then
        message='That `sleep` has lost its parent: PID 1 is in its place.'
        hint 'Parentheses start a copy of the shell, and that one ended.'
    elif ! typed_into "$mine"; then
        message='The parent of that `sleep` is another program, not the shell that you type into.'
        hint 'What starts it has to be the shell at the prompt itself.'
    elif [[ $state == T ]]; then
        observed "PID $pid, state T; its parent is $mine, \`$who\`"
        message='That `sleep` is stopped. It neither runs nor sleeps until it is continued.'
        hint 'The shell has a word that continues a stopped job in the background.'
    elif ((in_front)); then
        message='That `sleep` runs in the foreground: your shell waits for its end.'
        hint 'Which character at the end of a line has the shell not wait?'
    else
        pass "Passed. PID $pid, \`sleep\`, is a child of your shell, PID $mine."
    fi
done
if [[ -n $message ]]; then
    fail "$message"
fi

observed 'no living `sleep`'
evidence 'pgrep -x sleep || echo "no sleep lives"'
for pid in "${pids[@]}"; do
    if proc "$pid" Name && [[ $REPLY == sleep ]]; then
        attempt
        observed "PID $pid calls itself \`sleep\` and runs \`$(readlink "/proc/$pid/exe")\`"
        evidence "ls -l /proc/$pid/exe"
        hint 'A name is no proof. Which file does your shell run under it?'
        fail 'A program that is called `sleep` runs, and it is not the real one.'
    fi
done
if ended sleep && ((execed)); then
    attempt
    # A shell that waits is busy for as long as its child lives. The times of the
    # command come through the terminal, so they are not exact.
    while typed sleep; do
        if ((2 * (finished - began) >= end - start && finished + 1000 > end && began < end + 1000)); then
            hint 'Which character at the end of a line has the shell not wait?'
            fail 'That `sleep` ran in the foreground: your shell waited until it had ended.'
        fi
    done
    hint 'Give it enough seconds to be looked at.'
    fail 'That `sleep` ran in the background, but it has ended already.'
fi
if [[ -n $word ]]; then
    attempt
    hint 'The shell runs what stands first on the line.'
    fail 'The line names `sleep`, but no process of that name lives.'
fi
hint 'Start it, and have the prompt back at once.'
fail 'No `sleep` of yours lives.'
