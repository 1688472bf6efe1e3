#!/bin/bash
# Passed: the real hog touched as many pages as hog.c wants by this sandbox's seed, and
# ended with status 0. That takes a higher limit than the lab begins with.

fnv1a "$(derive hog)"
want=$((300 + (REPLY >> 32 & 0xffffffff) % 101))
cgroup memory.limit
limit=$REPLY limit_file=$cgroup_file
read -r first </run/lab/limit

expected "\`hog\` takes all that it wants in this sandbox, and ends with status 0"
evidence "cat $limit_file"
hint 'Which number does the kernel compare with what is in use?'

# largest sets pid, name and rss (KiB) of the process that holds the most, and used (bytes)
# to what all of them hold.
largest() {
    local one
    cgroup memory.used
    used=$REPLY rss=0
    running ''
    for one in "${pids[@]}"; do
        proc "$one" VmRSS || continue
        if ((${REPLY% kB} > rss)); then
            rss=${REPLY% kB} pid=$one
        fi
    done
    ((rss)) && proc "$pid" Name && name="\`$REPLY\`"
}

message='' killed=0 moved=$((limit != first))
while ran hog; do
    # SIGPIPE: its reader left, as in `hog | head -1`.
    ((signal == 13)) && continue
    # It lives for seconds, so who took its name was not seen. One that was refused is gone at once.
    ((seen || (status && ! signal))) || lacks inotify || continue
    if lacks accounting; then
        minor=$((want * 256))
        if ((status == 137)); then
            signal=9
        fi
    fi
    had=$((${minor:-0} / 256))
    # The record has three significant digits of a count as high as this.
    if ((status == 0 && signal == 0 && minor >= want * 256 - 64)); then
        attempt
        observed "$want MiB taken, with a limit of $limit bytes"
        pass "Passed. \`hog\`, PID $pid, took all $want MiB, and ended with status 0."
    fi
    if ((signal == 9)); then
        killed=$((killed + 1))
    fi
    [[ -z $message ]] || continue
    if ((status == 0 && signal == 0)); then
        observed "about $had MiB taken, of $want"
        evidence 'hog | head -1'
        hint 'Give it no number: then it wants its own.'
        message='`hog` came to its end, but with less than its own amount.'
    elif ((signal == 9)); then
        observed "a limit of $limit bytes; \`hog\` wants $want MiB"
        if ((limit == first)); then
            hint 'The files of the cgroup are read-only in here. What can move the wall from outside?'
            message='The wall stands where it stood, and `hog` met it again.'
        elif ((limit >> 20 < want + 8)); then
            hint 'How much does it want, and how much do the others use?'
            message='The wall has moved, but not far enough for this `hog`.'
        elif largest && ((limit - used >> 20 < want)); then
            observed "PID $pid, $name, holds $((rss / 1024)) MiB; \`hog\` wants $want of $((limit >> 20))"
            evidence "ps -o pid,rss,comm -p $pid"
            hint 'The wall counts the pages of all your processes. Which of them do you still need?'
            message='Beside what still runs, `hog` has no room behind the new wall.'
        else
            hint 'Now it has room.'
            message='The wall has moved since `hog` met it. Behind it, `hog` has not run yet.'
        fi
    elif ((signal)); then
        observed "PID $pid: ended by signal $signal, \`$(kill -l "$signal")\`"
        evidence "kill -l $signal"
        hint 'It needs a few seconds. Let it run.'
        message="\`hog\` was ended by signal $signal before its end."
    else
        observed "status $status; a limit of $limit bytes"
        hint 'A limit of the process is another thing than that of the cgroup.'
        message="\`hog\` ended with status $status: it was refused what it asked for."
    fi
done
if [[ -n $message ]]; then
    # That hog met the wall once is the task before this one.
    if ((killed != 1 || moved)); then
        attempt
    fi
    fail "$message"
fi
observed "a limit of $limit bytes, and no \`hog\` has ended"
fail '`hog` has not come to its end yet.'
