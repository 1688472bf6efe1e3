#!/bin/bash
# Passed: the answer is DESCRIPTOR:INODE, that descriptor of a running listener leads to
# that socket, and the kernel's list of TCP sockets has it in state LISTEN.

# state INODE sets REPLY to the state of that TCP socket, in hex: 0A listens.
state() {
    REPLY=$(awk -v inode="$1" 'NR > 1 && $10 == inode { print $4 }' /proc/net/tcp)
    [[ -n $REPLY ]]
}

# listens PID N INODE
listens() {
    fd "$1" "$2" && [[ $REPLY == "socket:[$3]" ]] && state "$3" && [[ $REPLY == 0A ]]
}

expected 'descriptor and inode of the one socket of `listener` that listens'
running listener
if ((${#pids[@]} == 0)); then
    observed 'no process `listener`'
    evidence 'pgrep -a listener || echo "no process listener"'
    if answered; then
        attempt
        hint 'Start it again and look anew: its sockets are new ones.'
        fail 'No `listener` runs here now. Its sockets went with it.'
    fi
    hint 'Start it in the background.'
    fail '`listener` does not run yet.'
fi
evidence "ls -l /proc/${pids[0]}/fd"
if ! answered; then
    observed 'no answer'
    hint 'Which of its descriptors lead to sockets?'
    fail 'You have not answered yet.'
fi

attempt
if ! [[ $REPLY =~ ^[^0-9]*([0-9]{1,9})[^0-9]+([0-9]{1,15})[^0-9]*$ ]]; then
    observed "\`${REPLY:0:60}\`"
    hint 'Both stand in one line of `ls -l`: the entry, and the number in the brackets.'
    fail 'That is not two numbers: the descriptor, a colon, the inode.'
fi
number=$((10#${BASH_REMATCH[1]})) inode=$((10#${BASH_REMATCH[2]}))
for pid in "${pids[@]}"; do
    if listens "$pid" "$number" "$inode"; then
        observed "descriptor $number: \`socket:[$inode]\`, state 0A"
        pass "Passed. Descriptor $number of \`listener\` is socket $inode, in state LISTEN."
    fi
    if listens "$pid" "$inode" "$number"; then
        observed "descriptor $inode, inode $number"
        hint 'A descriptor is a small number: the index of an entry.'
        fail 'Your two numbers stand the other way round: the descriptor comes first.'
    fi
done

# Speak of the listener that has this descriptor.
for pid in "${pids[@]}"; do
    if fd "$pid" "$number"; then
        break
    fi
done
evidence "ls -l /proc/$pid/fd"
if ! fd "$pid" "$number"; then
    entries=("/proc/$pid/fd/"*)
    observed "PID $pid has ${entries[*]##*/}"
    hint 'Its table has one entry for each descriptor.'
    fail 'The running `listener` has no such descriptor.'
fi
observed "descriptor $number leads to \`$REPLY\`"
if [[ $REPLY != socket:* ]]; then
    hint 'A link to a socket shows the word socket and a number in brackets.'
    fail 'That descriptor leads to something else than a socket.'
fi
if [[ $REPLY != "socket:[$inode]" ]]; then
    hint 'Each socket has an inode of its own. Read both from one line.'
    fail 'That descriptor is a socket, but with another inode.'
fi
if state "$inode"; then
    observed "inode $inode in state \`$REPLY\`"
    evidence "grep -w -e st -e $inode /proc/net/tcp"
    hint 'The list has another line with the same port, in another state.'
    fail 'That socket is one end of a connection. It does not listen.'
fi
hint 'It is not in `/proc/net/tcp`, so it is of another family or kind.'
fail 'That is a socket of `listener`, but no TCP socket.'
