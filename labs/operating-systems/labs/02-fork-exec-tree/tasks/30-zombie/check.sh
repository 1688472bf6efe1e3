#!/bin/bash
# Passed: the answer is a PID that belonged to a child of careless, by the kernel's
# record of its end, and nobody has it now. The child ended before its parent, and
# careless waits for nobody by itself: so it was a zombie. That this was the child of
# the real careless shows in its exit status, which careless.c makes of the seed.

expected 'the PID of the zombie, and no process with it any more'

# zombie PID sets REPLY to the parent of a zombie, and fails for anything else.
zombie() { proc "$1" State && [[ $REPLY == Z* ]] && proc "$1" PPid; }
adopted() { zombie "$1" && ((REPLY == 1)); }
collected() { ! adopted "$1"; }
gone() { ! zombie "$1"; }

evidence 'ps -e -o pid,ppid,stat,comm'
if ! answered; then
    running careless
    observed "${#pids[@]} processes run \`careless\`"
    hint 'Look for the state Z while `careless` runs.'
    fail 'You have not answered the PID of a zombie yet.'
fi

attempt
given=${REPLY#[Pp][Ii][Dd]}
given=${given//[[:space:]]/}
if ! [[ $given =~ ^[1-9][0-9]{0,6}$ ]]; then
    observed "\`${REPLY:0:40}\`"
    hint 'It stands in the column PID, a number.'
    fail 'That is not a PID.'
fi

# PID 1 collects what it inherits, in a moment.
waitfor 2 collected "$given"
# And a parent that was told this moment to call wait does so in the next.
if typed && [[ $line == *kill* ]]; then
    for _ in 1 2 3 4; do
        gone "$given" || sleep 0.02
    done
fi
if zombie "$given"; then
    parent=$REPLY
    proc "$parent" Name
    observed "PID $given, state Z; its parent is $parent, \`$REPLY\`"
    evidence "ps -o pid,ppid,stat,comm -p $given,$parent"
    if ! [[ /proc/$parent/exe -ef /usr/local/bin/careless ]]; then
        hint 'Start `careless` by its name alone, and look for its child.'
        fail 'That is a zombie, but not one that `careless` left.'
    fi
    hint 'Who has to collect its exit status?'
    while ended careless && ((pid != given)); do :; done
    for word in kill pkill killall; do
        if typed "$word" && ((began >= end - 1000)); then
            if [[ $line == *CHLD* ]]; then
                fail 'The zombie is still there: SIGCHLD does not make `careless` call `wait`.'
            fi
            fail 'The zombie is still there. It has ended already, so a signal changes nothing.'
        fi
    done
    fail 'That is the zombie. Now have it go.'
fi
if proc "$given" Name; then
    observed "PID $given, \`$REPLY\`, not in state Z"
    evidence "ps -o pid,ppid,stat,comm -p $given"
    hint 'Look for the letter Z in the column STAT.'
    if [[ /proc/$given/exe -ef /usr/local/bin/careless ]]; then
        fail 'That is `careless` itself, and it lives. The zombie is its child.'
    fi
    fail 'That process lives. A zombie has ended, and its state is Z.'
fi

observed "PID $given is gone"
evidence "ps -p $given || echo \"PID $given is gone\""
while ended careless; do
    ((pid == given)) || continue
    if ((execed)); then
        hint 'Look for its child while `careless` runs.'
        fail 'That was `careless` itself. The zombie was its child.'
    fi
    sealed careless "$given"
    ((signal == 0 && status == 1 + (REPLY >> 32 & 0xffffffff) % 255)) || break
    if [[ /proc/$ppid/exe -ef /usr/local/bin/careless ]]; then
        pass "Passed. PID $given is gone since \`careless\`, PID $ppid, called \`wait\`."
    fi
    if ((ppid != 1)); then
        pass "Passed. \`careless\` has ended, so PID 1 became the parent of PID $given and collected it."
    fi
    break
done
hint 'Start `careless` with `&`, and look for the state Z before you end anything.'
fail 'No child of `careless` had that PID.'
