#!/bin/bash
# Passed: the real hog was ended by signal 9 near the wall, and the cgroup has counted
# as many kills as there were processes ended so.

cgroup memory.limit
limit=$REPLY limit_file=$cgroup_file
cgroup memory.oom_kills
kills=$REPLY kills_file=$cgroup_file
read -r before </run/lab/oom_kills
fresh=$((kills - before))

# Each process ended by signal 9 near the wall was ended by the kernel when it counted
# as many: of hog how far it came, in MiB, and how many others had come that far.
came=() others=0
while ended ''; do
    if ((signal == 9)) && [[ $command == hog ]]; then
        came+=($((minor / 256)))
    elif ((signal == 9 && minor * 4096 >= limit * 3 / 4)); then
        others=$((others + 1))
    fi
done

# counted MIB tells whether all who came as far as that hog, or nearly, were counted.
# The wall may be nearer than the limit: other processes hold a part.
counted() {
    local mib near=$others
    for mib in "${came[@]}"; do
        near=$((near + (mib >= $1 - 8)))
    done
    ((fresh >= near && fresh > 0 && $1 >= limit >> 22))
}

expected 'the kernel ends `hog` by signal 9, and counts one `oom_kill` more'
evidence "grep '^oom_kill ' $kills_file"
newest=''
while ran hog; do
    # SIGPIPE: its reader left, as in `hog | head -1`.
    ((signal == 13)) && continue
    # It lives for seconds, so who took its name was not seen. One that was refused is gone at once.
    ((seen || (status && ! signal))) || lacks inotify || continue
    if lacks accounting && ((status == 137)); then
        signal=9 minor=$((limit / 4096))
    fi
    taken=$((${minor:-0} / 256))
    if ((signal == 9)) && counted "$taken"; then
        attempt
        observed "oom_kill $kills, status 137"
        pass "Passed. The kernel ended \`hog\`, PID $pid, when it had about $taken MiB. Its count of kills is $kills."
    fi
    [[ -z $newest ]] || continue
    newest=1
    if ((signal == 9)); then
        observed "oom_kill $kills, before it was $before; about $taken MiB taken"
        hint 'Send it nothing. The wall is enough.'
        message='Signal 9 ended `hog`, but the kernel has not counted a kill for it.'
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
