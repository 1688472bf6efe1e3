#!/bin/bash
# Passed: a touch-address died of SIGSEGV, by the kernel's record, while it read an
# address above its heap and below its stack. It only reads, and all its regions may be
# read: so the address was in none. Which address it was stands in its receipt, which
# nobody else can write: touch-address.c makes it of the seed. The guest has seen that
# process, and that nothing of the learner's was loaded into it.

SIGSEGV=11
expected 'a `touch-address` that died of signal 11, at an address in its gap'

message=''
# say MESSAGE HINT OBSERVED EVIDENCE remembers what to say of the newest attempt.
say() {
    if [[ -z $message ]]; then
        message=$1 how=$2 saw=$3 look=$4
    fi
}

no_address() {
    say 'That `touch-address` read nothing: it did not get an address.' \
        'An address is a hexadecimal number, as in a map.' \
        "status $status" 'touch-address; echo "status $?"'
}

# read_by sets heap, stack, address to what touch-address process PID says that it did,
# in the output of its command. A line with another receipt is not from it.
read_by() {
    local lines="touch-address: PID $1, heap at 0x([0-9a-f]+), stack at 0x([0-9a-f]+)"$'\r?\n'
    lines+='touch-address: reading the byte at 0x([0-9a-f]+), receipt ([0-9a-f]{8})'
    [[ $output =~ $lines ]] || return 1
    heap=${BASH_REMATCH[1]} stack=${BASH_REMATCH[2]} address=${BASH_REMATCH[3]}
    local receipt=${BASH_REMATCH[4]}
    sealed touch-address "$1:$heap:$stack:$address"
    printf -v REPLY '%08x' $((REPLY & 0xffffffff))
    [[ $receipt == "$REPLY" ]]
}

while ran touch-address; do
    # No record tells of the signal then; the receipt is still the program's own.
    if lacks accounting && ((status == 128 + SIGSEGV)); then
        signal=$SIGSEGV status=0
    fi
    # It lives long enough for the guest to look at it. Unseen, it was another one.
    if ((signal && ! seen)) && ! lacks inotify && ! lacks accounting; then
        continue
    fi
    if ((signal == 0 && status != 0)); then
        no_address
    elif ((signal == 0)); then
        say 'That byte could be read: the address is in a region.' \
            'Look between the heap and the libraries in the map of another process.' \
            "status $status" 'cat /proc/self/maps'
    elif ((signal != SIGSEGV)); then
        say 'That `touch-address` was ended by another signal than SIGSEGV.' \
            'The kernel sends the right one by itself, when the address is in no region.' \
            "signal $signal" "kill -l $((128 + signal))"
    elif ! read_by "$pid"; then
        say 'A `touch-address` died of SIGSEGV, but it did not print here what it read.' \
            'Have it print into this terminal: its receipt says which address it was.' \
            "status $((128 + signal)), and no receipt of PID $pid" 'touch-address 0; echo "status $?"'
    elif ((0x$address >= 0 && 0x$address < 0x$heap)); then
        say 'The kernel ended it, but at an address below its heap, not in the gap.' \
            'Which addresses lie above the heap and below the stack in every map?' \
            "read at \`0x$address\`, heap at 0x$heap, signal $signal" "touch-address $address"
    elif ((0x$address < 0 || 0x$address > 0x$stack)); then
        say 'The kernel ended it, but at an address above its stack, not in the gap.' \
            'Which addresses lie above the heap and below the stack in every map?' \
            "read at \`0x$address\`, stack at 0x$stack, signal $signal" "touch-address $address"
    else
        attempt
        observed "signal $signal, heap at 0x$heap, read at 0x$address, stack at 0x$stack"
        pass "Passed. PID $pid read \`0x$address\`, in no region of its own, and died of SIGSEGV."
    fi
done

if [[ -z $message ]]; then
    while ended ''; do
        if [[ $command == touch-address ]] && ((signal == 0 && status == 1)); then
            no_address # it ended too soon to be looked at
        elif [[ $command == touch-address ]]; then
            say 'A program called `touch-address` ran, and it was not the real one.' \
                'Which file does your shell run under that name?' \
                '`/usr/local/bin/touch-address` did not run, or not by itself' 'type -a touch-address'
        elif ((signal == SIGSEGV)); then
            say 'Another program died of SIGSEGV, not `touch-address`.' \
                'Have `touch-address` read where nothing is.' \
                "\`$command\`, signal $signal" "kill -l $((128 + signal)); echo \"$command\""
        fi
    done
    if typed touch-address; then
        say 'The line names `touch-address`, but it did not run.' \
            'The shell runs what stands first on the line.' \
            'no process `touch-address` has ended' 'type -a touch-address'
    fi
    while typed; do
        if ((exit == 128 + SIGSEGV)); then
            say 'The status is right, but no process died of a signal.' \
                'Anybody can return a number. Have the kernel end `touch-address`.' \
                "status $exit, and no death by signal $SIGSEGV" '(exit 139); echo "status $?"'
        fi
    done
fi
if [[ -n $message ]]; then
    attempt
    observed "$saw"
    evidence "$look"
    hint "$how"
    fail "$message"
fi
observed 'no `touch-address` has ended yet'
evidence 'type -a touch-address'
hint 'Where in the map of a process is a wide gap?'
fail 'No address was touched yet.'
