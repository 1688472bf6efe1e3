#!/bin/bash
# Passed: descriptor 3 of a terminal's own shell leads to /etc/hostname, the same device
# and inode, at this moment.

file=/etc/hostname
expected "descriptor 3 of this terminal's shell leads to \`$file\`"

# holds PID N tells whether descriptor N of the process leads to the file itself.
holds() { [[ /proc/$1/fd/$2 -ef $file ]]; }

# same_text PID N tells whether it leads to another regular file that reads the same.
same_text() { [[ -f /proc/$1/fd/$2 ]] && timeout 1 cmp -s -n 4096 "/proc/$1/fd/$2" "$file"; }

running ''
shell='' elsewhere='' number=''
for pid in "${pids[@]}"; do
    if terminal_shell "$pid"; then
        if holds "$pid" 3; then
            attempt
            observed "PID $pid: 3 leads to \`$file\`"
            pass "Passed. Descriptor 3 of your shell, PID $pid, leads to \`$file\`."
        fi
        # The shell to speak of is the one where something was tried.
        if [[ -z $shell || -L /proc/$pid/fd/3 ]]; then
            shell=$pid
        fi
        for entry in "/proc/$pid/fd/"*; do
            if holds "$pid" "${entry##*/}"; then
                shell=$pid number=${entry##*/}
                break 2
            fi
        done
    elif holds "$pid" 3; then
        elsewhere=$pid
    fi
done

# untouched ends the check where nothing was tried, or no terminal is open yet.
untouched() {
    observed 'no such entry'
    evidence 'ls -l /proc/$$/fd'
    hint 'Which command changes the shell itself?'
    fail 'Your shell has no descriptor 3 yet.'
}

[[ -n $shell ]] || untouched
fds=("/proc/$shell/fd/"*)
evidence "ls -l /proc/$shell/fd"
if [[ -n $number ]]; then
    attempt
    observed "PID $shell: $number leads to \`$file\`"
    hint 'The number in front of the sign is the one you get.'
    fail 'Your shell has the file open, but not as descriptor 3.'
fi
if fd "$shell" 3; then
    attempt
    observed "PID $shell: 3 leads to \`$REPLY\`"
    if same_text "$shell" 3; then
        hint 'Two files may hold equal bytes. A descriptor leads to one of them.'
        fail 'Descriptor 3 leads to another file with the same text.'
    fi
    hint 'The path behind the sign says which file is opened, and the sign says for what.'
    fail 'Descriptor 3 of your shell leads to something else.'
fi
if [[ -n $elsewhere ]]; then
    attempt
    proc "$elsewhere" PPid
    observed "PID $elsewhere, a child of $REPLY, has it; your shell is $shell"
    evidence "ls -l /proc/$elsewhere/fd; ps -o pid,ppid,args -p $elsewhere,$shell"
    hint 'Parentheses, a bar, `&` and `bash` start another process, with a table of its own.'
    fail 'Another process has it as descriptor 3, not the shell of this terminal.'
fi

observed "PID $shell has ${fds[*]##*/}"
if typed '3<&-' || typed '3>&-'; then
    attempt
    hint 'What you opened was closed again. Leave out the last step.'
    fail 'Descriptor 3 of your shell was closed again. It counts while it is open.'
fi
while typed hostname; do
    if [[ $line == *'<'* || $line == *cat* || $line == *exec* ]]; then
        attempt
        hint 'Who made the call `open`, and does that process still live?'
        fail 'Nothing holds the file now. What a command opened is closed when it ends.'
    fi
done
untouched
