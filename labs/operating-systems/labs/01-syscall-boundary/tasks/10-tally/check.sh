#!/bin/bash
# Passed: during some command the real strace ran, its tally was printed, and what
# it traced ended with status 0, by the kernel's own record.

total='100\.00 +[0-9.]+( +[0-9]+)* total'
expected 'a table with a column `calls`, of a program that ended with status 0'

# traced sets name to the program that strace ran, by the record of its children. It
# has others, which only try what ptrace can do.
traced() {
    local tracer=$pid tracer_status=$status tracer_signal=$signal
    name=''
    while [[ -n $tracer && -z $name ]] && ended '' "$tracer"; do
        if [[ $command != strace ]]; then
            name=$command
        fi
    done
    pid=$tracer status=$tracer_status signal=$tracer_signal
}

# calls sets REPLY to the number in the row that adds up: it has a column for errors
# only when there were some.
calls() {
    local row
    [[ $output =~ $total ]] || return 1
    read -r -a row <<<"${BASH_REMATCH[0]}"
    REPLY=${row[3]} # behind percent, seconds, microseconds a call
}

# What to say of the newest command that was an attempt.
message='' seen=''
while ran strace; do
    traced
    if [[ $output == *usecs/call*calls* ]] && calls; then
        if ((status == 0 && signal == 0)); then
            attempt
            observed "$REPLY calls in the row total"
            pass "Passed. \`${name:-the program}\` made $REPLY system calls."
        fi
        fate="ended with status $status"
        if ((signal)); then
            fate="was ended by signal $signal"
        fi
        said="\`${name:-The program}\` $fate. The tally is of a program that failed."
        saw="$REPLY calls of a program that $fate"
        how='Trace a program that finds all it asks for.'
        look='strace -c false; echo "status $?"'
    elif [[ -z $name ]] && ! lacks accounting; then
        said='`strace` found no program to run.'
        saw="status $status, and no process below \`strace\`"
        how='Behind the options stands the name of a program, and then what it is given.'
        look='strace no-such-program'
    else
        lines=$(grep -c -E '^(\[pid +[0-9]+\] )?[a-z_0-9]+\(' <<<"$output")
        if ((lines > 0)); then
            said="\`strace\` ran \`${name:-a program}\`, but printed every call instead of a tally."
            saw="$lines single lines"
            how='`strace --help` has a group called Statistics.'
            look='strace ls / 2>&1 | tail -3'
        else
            said="\`strace\` ran \`${name:-a program}\`, but no tally was printed in this terminal."
            saw='no table in what the command printed'
            how='It goes to standard error, unless an option or `2>` sends it elsewhere.'
            look='strace ls / >/dev/null'
        fi
    fi
    if [[ -z $message ]] || ((named && ! seen)); then
        message=$said seen=$named
        observed "$saw"
        evidence "$look"
        hint "$how"
    fi
done

if [[ -z $message ]] && typed strace; then
    if ended strace; then
        message='A program called `strace` ran, and it was not the real one.'
        observed 'a process `strace`; `/usr/bin/strace` was not opened'
        evidence 'type -a strace'
        hint 'Which file does your shell run under that name?'
    else
        message='The line names `strace`, but no process of that name ran.'
        observed "no process \`strace\` of yours has ended"
        evidence 'type -a strace'
        hint 'The shell runs what stands first on the line.'
    fi
fi

if [[ -n $message ]]; then
    attempt
    fail "$message"
fi
observed 'no command with `strace` in this terminal'
evidence 'strace --version | head -1'
hint 'Put `strace` and its option in front of a command that you know.'
fail 'No tally was printed yet.'
