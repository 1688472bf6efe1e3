#!/bin/bash
# Passed: the real hog was ended by signal 9 when it had taken half the limit or more,
# and the cgroup counted a kill for each process that ended so.

cgroup memory.limit
limit=$REPLY limit_file=$cgroup_file
cgroup memory.oom_kills
kills=$REPLY kills_file=$cgroup_file
read -r before </run/lab/oom_kills
fresh=$((kills - before))

# large counts the processes ended by signal 9 that had taken half the limit.
large=0
while ended '' ''; do
    if ((signal == 9 && minor * 4096 >= limit / 2)) && [[ $command != important ]]; then
        large=$((large + 1))
    fi
done

expected 'the kernel ends `hog` by signal 9, and counts one `oom_kill` more'
evidence "grep '^oom_kill ' $kills_file"
newest=''
while ran hog; do
    if lacks accounting && ((status == 137)); then
        signal=9 minor=$((limit / 4096))
    fi
    taken=$((${minor:-0} / 256))
    if ((signal == 9 && fresh > 0 && minor * 4096 >= limit / 2 && fresh >= large)); then
        attempt
        observed "oom_kill $kills, status 137"
        pass "Passed. The kernel ended \`hog\`, PID $pid, when it had about $taken MiB. Its count of kills is $kills."
    fi
    [[ -z $newest ]] || continue
    newest=1
    if ((signal == 9)); then
        observed "oom_kill $kills, before it was $before; about $taken MiB taken"
        hint 'Send it nothing. The wall is enough.'
        message='Signal 9 ended `hog`, but not from the kernel: its count did not move for it.'
    elif ((signal)); then
        observed "PID $pid: ended by signal $signal, \`$(kill -l "$signal")\`"
        evidence "kill -l $signal"
        hint 'It needs a few seconds. Let it run.'
        message="\`hog\` was ended by signal $signal before it came to the wall."
    elif ((status == 0)); then
        observed "about $taken MiB taken, with a limit of $limit bytes"
        evidence "cat $limit_file"
        hint 'How far is it from what it took to the limit?'
        message='`hog` ended by itself with status 0: all it took is below the wall.'
    else
        observed "status $status, and no signal"
        evidence '(ulimit -v 65536; hog; echo "status $?")'
        hint 'Which limit did it meet: one of its own, or the one it shares?'
        message="\`hog\` ended by itself with status $status: it was refused, not killed."
    fi
done
if [[ -n $newest ]]; then
    attempt
    fail "$message"
fi
if ((fresh > 0)); then
    attempt
    observed "oom_kill $kills, before it was $before; no \`hog\` has ended"
    hint 'The same, with `hog`.'
    fail 'The kernel ended a process of yours for want of memory. It was not `hog`.'
fi
observed "oom_kill $kills, and no \`hog\` has ended"
hint 'How much does `hog` want, and how much may your sandbox have?'
fail '`hog` has not come to the wall yet.'
