#!/bin/bash
# Passed: a process of the learner's has PID 1 as its parent and was not started by it.
# What PID 1 starts leads a session with a terminal, or carries the mark of a run.

expected 'a living process that has lost its parent, with PPID 1'

# look PID sets state, parent, session, tty.
look() {
    local stat
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    read -r state parent _ session tty _ <<<"${stat##*) }"
}

# marked PID: PID 1 started it, to run a script.
marked() { grep -q -z '^SN_RUN=' "/proc/$1/environ" 2>/dev/null; }

# A shell that has just been told to leave an orphan may need a moment for it.
child='' whose=''
for _ in 1 2; do
    running ''
    for pid in "${pids[@]}"; do
        if ! look "$pid" || [[ $state == Z ]] || ! proc "$pid" Name; then
            continue
        fi
        if ((parent != 1)); then
            # One below another program tells more than one of the shell's own.
            if [[ -z $child ]] || ! terminal_shell "$parent"; then
                child=$pid whose=$parent
            fi
        elif ((session != pid)) || { ((tty == 0)) && ! marked "$pid"; }; then
            observed "PID $pid, \`$REPLY\`, PPID 1"
            pass "Passed. PID $pid, \`$REPLY\`, has outlived its parent. PID 1 is its parent now."
        fi
    done
    sleep 0.05
done

hint 'Whose end would make it an orphan?'
if [[ -n $child ]]; then
    proc "$child" Name
    name=$REPLY
    proc "$whose" Name
    observed "PID $child, \`$name\`; its parent $whose, \`$REPLY\`, lives"
    evidence "ps -o pid,ppid,stat,comm -p $child,$whose"
    if ! terminal_shell "$whose"; then
        attempt
        hint 'Does that parent wait for its child? Then it cannot end before it.'
        fail "\`$name\` has a parent below your shell, and that one still lives."
    fi
    if proc "$child" SigIgn && ((0x$REPLY & 1)); then
        attempt
        fail "\`nohup\` has \`$name\` ignore the signal SIGHUP. Its parent is still your shell."
    fi
    if typed disown; then
        attempt
        fail "\`disown\` took \`$name\` off the list of jobs. Its parent is still your shell."
    fi
fi
while ended '' 1; do
    # The shells of the terminals end as children of PID 1 as well.
    if ((execed)) && [[ $command != bash ]]; then
        attempt
        observed "PID $pid, \`$command\`, ended as a child of PID 1"
        evidence "ps -p $pid || echo \"PID $pid is gone\""
        hint 'Give it enough seconds to be looked at.'
        fail 'You had an orphan, but it has ended already. PID 1 collected it.'
    fi
done
if [[ -n $child ]]; then
    fail 'Your processes have your shell as their parent, and it lives.'
fi
observed 'no process but your shells'
evidence 'ps -o pid,ppid,stat,comm'
fail 'No process of yours lives but your shells.'
