#!/bin/bash
# Passed: a promise of the learner's lives, and 1 MiB or more of its own memory came
# after what it was told to touch as it began. VSZ can't have moved unseen: VmPeak
# would be above VmSize.

# size PID KEY sets REPLY to that line of /proc/PID/status, in KiB.
size() { proc "$1" "$2" && REPLY=${REPLY//[!0-9]/} && [[ -n $REPLY ]]; }

# touched PID tells whether that promise has touched pages since it began. What lies in
# its stack was there from the start: arguments and environment may be large.
touched() {
    local stack
    size "$1" VmStk && stack=$REPLY && size "$1" RssAnon && ((REPLY - stack >= begun * 1024 + 1024))
}

# asleep PID tells whether it waits, or is stopped, or gone: nothing more will come.
asleep() { ! proc "$1" State || [[ $REPLY != [RD]* ]]; }

mapfile -t given 2>/dev/null </run/lab/promises
expected 'a `promise` that lives, RSS at least 1 MiB up, VSZ as before'
evidence 'ps -C promise -o pid,vsz,rss,args'
hint 'It waits for a signal, and told you which.'

own='' stopped='' larger='' early=''
for dir in /proc/[0-9]*; do
    pid=${dir#/proc/}
    [[ $dir/exe -ef /usr/local/bin/promise ]] || continue
    if ! proc "$pid" Uid || [[ ${REPLY%%[!0-9]*} != "$SN_UID" ]]; then
        continue
    fi
    mapfile -d '' -t words 2>/dev/null <"$dir/cmdline"
    [[ ${words[2]-0} =~ ^\ *\+?([0-9]{1,4})$ ]] || continue
    begun=$((10#${BASH_REMATCH[1]}))
    waitfor 1 asleep "$pid"
    if touched "$pid" && genuine "$pid" promise; then
        size "$pid" VmRSS && rss=$REPLY
        size "$pid" VmPeak && peak=$REPLY
        size "$pid" VmSize && vsz=$REPLY
        ((peak == vsz)) || continue
        attempt
        observed "PID $pid: VSZ $vsz KiB, its peak as well; RSS $rss KiB"
        pass "Passed. PID $pid has $rss KiB in memory now. Its VSZ is $vsz KiB, and never was another."
    fi
    if proc "$pid" ShdPnd && ((0x$REPLY & 0x200)) && proc "$pid" State && [[ $REPLY == [Tt]* ]]; then
        stopped=$pid
    fi
    if [[ " ${given[*]} " != *" $pid "* ]]; then
        own=$pid
        case ${#words[@]} in
        2) larger=$pid ;;
        3) early=$pid ;;
        esac
    fi
done

if [[ -n $stopped ]]; then
    attempt
    observed "PID $stopped: \`T (stopped)\`, and SIGUSR1 pending"
    evidence "grep -E '^(State|ShdPnd)' /proc/$stopped/status"
    hint 'A stopped process handles nothing. What lets it run on, in the background?'
    fail 'That `promise` is stopped: the signal waits until it runs again.'
fi
if [[ -n $early ]]; then
    attempt
    size "$early" VmRSS && observed "PID $early: RSS $REPLY KiB, and none of it since the start"
    evidence "ps -p $early -o pid,vsz,rss,args"
    hint 'Leave out the second number, and have it touched while it runs.'
    fail 'That `promise` touched its pages as it began. Nothing moved since.'
fi
if [[ -n $larger ]]; then
    attempt
    size "$larger" VmSize && vsz=$REPLY
    size "$larger" VmRSS && observed "PID $larger: VSZ $vsz KiB, RSS $REPLY KiB"
    evidence "ps -p $larger -o pid,vsz,rss,args"
    fail 'More was promised. None of it was touched yet.'
fi
if [[ -n $own ]]; then
    size "$own" VmSize && vsz=$REPLY
    size "$own" VmRSS && observed "PID $own: VSZ $vsz KiB, RSS $REPLY KiB"
    evidence "ps -p $own -o pid,vsz,rss,args"
    fail 'Your `promise` waits, with its pages untouched.'
fi
while ended promise; do
    ((signal)) || continue
    attempt
    observed "PID $pid: ended by signal $signal, \`$(kill -l "$signal")\`"
    evidence "kill -l $signal"
    hint 'Each signal has a name and a number. Which one does it wait for?'
    if [[ $(kill -l "$signal") == USR1 ]]; then
        hint 'Let it say first what it has mapped.'
        fail 'The signal came before `promise` was ready for it, and ended it.'
    fi
    fail 'That signal ended `promise`. What has ended holds no page.'
done
observed 'no `promise` that you started'
fail 'No `promise` of yours has touched more than it began with.'
