#!/bin/bash
# Passed: the answer is the cgroup's memory limit as it is now.

cgroup memory.used
used=$REPLY used_file=$cgroup_file
cgroup memory.limit
limit=$REPLY folder=${cgroup_file%/*}
expected "the memory limit of this sandbox's cgroup, in bytes or with a unit"
evidence "ls $folder | grep memory"
hint 'Its folder has one file for what is in use, and one for the limit.'
if ! answered; then
    observed 'no answer'
    fail 'You have not answered a limit yet.'
fi

attempt
observed "\`${REPLY:0:40}\`"
answer=${REPLY//[, ]/}
unlimited() {
    local file=$folder/memory.high
    if [[ -e $folder/memory.soft_limit_in_bytes ]]; then
        file=$folder/memory.soft_limit_in_bytes
    fi
    evidence "cat $file"
    hint 'Several files hold limits. Only one of them was set here.'
    fail 'That stands for "no limit". Another file holds the wall.'
}
case $answer in
max) unlimited ;;
unlimited)
    evidence 'ulimit -v'
    hint 'Who else is charged for what your processes use together?'
    fail 'That is what one process may map. The wall is that of all together.'
    ;;
esac
if ! [[ $answer =~ ^([0-9]{1,19})([KkMmGg]?)([Ii]?[Bb]?|bytes)$ ]]; then
    hint 'A number of bytes is the surest form.'
    fail 'That is not a size.'
fi
number=${BASH_REMATCH[1]}
if ((${#number} > 15)); then
    unlimited
fi
number=$((10#$number))
case ${BASH_REMATCH[2]} in
[Kk]) bytes=$((number << 10)) ;;
[Mm]) bytes=$((number << 20)) ;;
[Gg]) bytes=$((number << 30)) ;;
*) bytes=$number ;;
esac
if [[ $bytes == "$limit" ]]; then
    pass "Passed. The wall stands at $((limit >> 20)) MiB, and the kernel reads it from \`$cgroup_file\`."
fi
if ((number == limit >> 20 || number == limit >> 10)); then
    evidence "cat $used_file"
    hint 'The file itself counts in bytes.'
    fail 'A number without a unit counts as bytes, and those are few.'
fi
while read -r key kib _; do
    [[ $key == MemTotal: ]] || continue
    # free prints it in KiB, or in bytes, MiB or GiB on request, cut off.
    for total in "$kib" $((kib << 10)) $((kib >> 10)) $((kib >> 20)); do
        if ((number == total)); then
            evidence 'free -b; free | head -2; free -m | head -2'
            hint 'Look where the accounts of your sandbox are kept.'
            fail 'That is the memory of the whole machine. Your sandbox has a limit of its own.'
        fi
    done
done </proc/meminfo
if ((bytes > used - (24 << 20) && bytes < used + (24 << 20))); then
    evidence "cat $used_file"
    hint 'In the same folder stands how far that number may rise.'
    fail 'That is what your sandbox uses now, not what it may use.'
fi
fail 'That is not the limit of this sandbox.'
