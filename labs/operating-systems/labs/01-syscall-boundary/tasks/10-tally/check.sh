#!/bin/bash
# Passed: the real strace, asked to count, ran a program that ended with status 0, and a
# whole tally was printed, in the same command or a later one.
#
# The kernel proves the run: the record of a process `strace` and of its child, with
# their status, and that this process ran /usr/bin/strace with these arguments. No
# record tells who printed what. So who has strace count a program that ends well, hides
# its table, and prints one of his own whose rows add up, passes too. That is more work
# than letting the table be seen.

expected 'a table with a column `calls`, of a program that ended with status 0'

# traced sets name to the program that strace ran, and fate to its status, by the record
# of its children. It has others, which only try what ptrace can do, and execute nothing:
# their number is tries.
traced() {
    local tracer=$pid tracer_status=$status tracer_signal=$signal
    name='' fate=0 tries=0
    while [[ -n $tracer ]] && ended '' "$tracer"; do
        if ((!execed)); then
            tries=$((tries + 1))
        elif [[ -z $name ]]; then
            name=$command fate=$((status + signal))
        fi
    done
    pid=$tracer status=$tracer_status signal=$tracer_signal
}

# asked tells whether -c or -C is among strace's own options, before the program's name.
# One that was gone before the guest could look, on a busy machine, is taken for asked if
# it tried ptrace as strace does.
asked() {
    local i at
    if ((!seen)); then
        return $((tries == 0))
    fi
    for ((i = 1; i < ${#args[@]}; i++)); do
        case ${args[i]} in
        --summary | --summary-only) return 0 ;;
        --) return 1 ;;
        --*=*) ;;
        --attach | --columns | --env | --inject | --interruptible | --output | --read | --write | --signal | --status | \
            --string-limit | --summary-sort-by | --summary-columns | --summary-syscall-overhead | --trace | --trace-path | --user)
            i=$((i + 1))
            ;;
        --*) ;;
        -?*)
            for ((at = 1; at < ${#args[i]}; at++)); do
                case ${args[i]:at:1} in
                [cC]) return 0 ;;
                [abeEIoOpPsSuUX]) # the rest is its value, or the next word
                    ((at + 1 < ${#args[i]})) || i=$((i + 1))
                    continue 2
                    ;;
                esac
            done
            ;;
        *) return 1 ;;
        esac
    done
    return 1
}

# tally TEXT sets REPLY to the number of calls in a table of strace, whatever its columns
# and its order: the rows must add up to the row `total`. The column for errors is blank
# where there were none.
tally() {
    [[ $1 == *calls*syscall* || $1 == *syscall*calls* ]] && [[ $1 == *total* ]] || return 1
    local -a words columns=()
    local i calls=-1 errors=-1 name=-1 at row=0 total=0
    while read -r -a words; do
        if [[ " ${words[*]} " == *' calls '* && " ${words[*]} " == *' syscall '* ]]; then
            if [[ ${words[0]} == % ]]; then
                words=("${words[@]:1}")
            fi
            columns=("${words[@]}")
            break
        fi
    done <<<"$1"
    for i in "${!columns[@]}"; do
        case ${columns[i]} in
        calls) calls=$i ;;
        errors) errors=$i ;;
        syscall) name=$i ;;
        esac
    done
    ((calls >= 0 && name >= 0)) || return 1
    while read -r -a words; do
        if ((errors >= 0 && ${#words[@]} == ${#columns[@]} - 1)); then
            words=("${words[@]:0:errors}" - "${words[@]:errors}")
        fi
        ((${#words[@]} == ${#columns[@]})) || continue
        at=${words[calls]}
        [[ $at =~ ^[0-9]{1,9}$ && ${words[name]} =~ ^[a-z_][a-z0-9_]*$ ]] || continue
        if [[ ${words[name]} == total ]]; then
            total=$((total + 10#$at))
        else
            row=$((row + 10#$at))
        fi
    done <<<"$1"
    REPLY=$total
    ((total > 0 && row == total))
}

# The newest command that printed a tally, and its calls.
table=-1 table_calls=''
while typed; do
    if tally "$output"$'\n'"$late"; then
        table=$place table_calls=$REPLY
        break
    fi
done

# What to say of the newest command that was an attempt.
message='' worded=''
while ran strace; do
    traced
    if tally "$output"$'\n'"$late"; then
        own=1
    else
        own=0 REPLY=$table_calls
    fi
    if ((own || (table >= 0 && table < place))) && { [[ -n $name ]] || lacks accounting; }; then
        if ((status == 0 && signal == 0 && fate == 0)) && { lacks inotify || asked; }; then
            attempt
            observed "$REPLY calls in the row total"
            pass "Passed. \`${name:-the program}\` made $REPLY system calls."
        fi
        if ((status == 0 && signal == 0 && fate == 0 && seen)); then
            said="\`strace\` ran \`$name\`, and nobody asked it for a tally."
            saw="its arguments: ${args[*]}"
            how='`strace --help` has a group called Statistics.'
            look='strace --help | grep -A 3 Statistics'
        elif ((status == 0 && signal == 0 && fate == 0)); then
            said='`strace` ended before the sandbox could see how it was called. Run it once more.'
            saw="a process \`strace\`, PID $pid, that was gone at once"
            how='A program that takes a moment longer is sure to be seen.'
            look='type -a strace'
        else
            told="ended with status $status"
            look="strace -c sh -c 'exit $status'; echo \"status \$?\""
            if ((signal)); then
                told="was ended by signal $signal"
                look="strace -c sh -c 'kill -$signal \$\$'; echo \"status \$?\""
            fi
            said="\`${name:-The program}\` $told. The tally is of a program that failed."
            saw="$REPLY calls of a program that $told; \`strace\` says status $((signal ? 128 + signal : status))"
            how='Trace a program that finds all it asks for.'
        fi
    elif [[ -z $name ]] && ! lacks accounting; then
        said='`strace` found no program to run.'
        saw="status $status, and no process below \`strace\`"
        how='Behind the options stands the name of a program, and then what it is given.'
        look='strace no-such-program'
    else
        lines=$(grep -c -E '^(\[pid +[0-9]+\] )?[a-z_0-9]+\(' <<<"$output")
        if ((lines > 0)); then
            said="\`strace\` ran \`${name:-a program}\`, but printed every call instead of a tally."
            first=$(grep -m 1 -o -E '^[a-z_0-9]+\(' <<<"$output")
            saw="$lines single lines, the first for \`${first%(}\`"
            how='`strace --help` has a group called Statistics.'
            look='strace ls / 2>&1 | head -9'
        else
            said="\`strace\` ran \`${name:-a program}\`, but no tally was printed in this terminal."
            saw='no whole table in what the command printed'
            how='It goes to standard error, unless an option or `2>` sends it elsewhere.'
            look='strace ls / >/dev/null'
        fi
    fi
    if [[ -z $message ]] || ((named && ! worded)); then
        message=$said worded=$named
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
