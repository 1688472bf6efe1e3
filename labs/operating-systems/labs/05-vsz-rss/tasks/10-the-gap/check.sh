#!/bin/bash
# Passed: the answer is one of the processes that setup.sh started, with the widest gap
# of them between VSZ and RSS, as /proc has them now.

# size PID KEY sets REPLY to that line of /proc/PID/status, in KiB.
size() { proc "$1" "$2" && REPLY=${REPLY//[!0-9]/} && [[ -n $REPLY ]]; }

# owner PID sets REPLY to its uid.
owner() { proc "$1" Uid && REPLY=${REPLY%%[!0-9]*}; }

expected 'the PID, among those of `learner`, with the most of VSZ minus RSS'
if ! answered; then
    observed 'no answer'
    evidence 'ps -u learner -o pid,vsz,rss,comm'
    hint 'The gap is a difference. Which row has the largest?'
    fail 'You have not answered a PID yet.'
fi

attempt
answer=$REPLY
observed "\`${answer:0:40}\`"
evidence 'ps -u learner -o pid,vsz,rss,comm'
if [[ $answer == promise ]]; then
    hint 'What tells processes of one program apart?'
    fail 'Several processes have that name. A PID names one of them.'
fi
if ! [[ $answer =~ ^[0-9]{1,7}$ ]]; then
    hint 'It stands in the first column.'
    fail 'That is not a PID.'
fi
answer=$((10#$answer))
if ! owner "$answer"; then
    evidence "ps -p $answer || echo none"
    hint 'It stands in the first column. The sizes are in the second and third.'
    fail 'No process has that PID now.'
fi
if ((REPLY != SN_UID)); then
    evidence "ps -p $answer -o user,pid,vsz,rss,comm"
    observed "PID $answer belongs to root"
    hint 'Look among the processes of `learner`.'
    fail 'That process is not one of yours.'
fi

mapfile -t given 2>/dev/null </run/lab/promises
was_here() { [[ " ${given[*]} " == *" $1 "* && /proc/$1/exe -ef /usr/local/bin/promise ]]; }

widest=-1 largest=-1 smallest='' vsz=0 rss=0
for dir in /proc/[0-9]*; do
    pid=${dir#/proc/}
    if ! owner "$pid" || ((REPLY != SN_UID)); then
        continue
    fi
    size "$pid" VmSize || continue
    mapped=$REPLY
    size "$pid" VmRSS || continue
    if was_here "$pid"; then
        ((widest = mapped - REPLY > widest ? mapped - REPLY : widest))
    fi
    ((largest = mapped > largest ? mapped : largest))
    if [[ -z $smallest ]] || ((REPLY < smallest)); then
        smallest=$REPLY
    fi
    if ((pid == answer)); then
        vsz=$mapped rss=$REPLY
    fi
done
evidence "ps -p $answer -o pid,vsz,rss,comm"
observed "PID $answer: VSZ $vsz, RSS $rss"
if ((vsz - rss >= widest)) && ! was_here "$answer"; then
    hint 'Five of them ran before you typed anything.'
    fail 'You started that one yourself. Which one was the widest before?'
fi
if ((vsz - rss == widest)); then
    pass "Passed. PID $answer has $((vsz / 1024)) MiB mapped, and $((rss / 1024)) MiB of them in memory."
fi
if ((vsz == largest)); then
    hint 'Subtract in this row, and in the next smaller one.'
    fail 'That process has the largest VSZ, but also more of it in memory.'
fi
if ((rss == smallest)); then
    hint 'A small RSS makes a wide gap only below a large VSZ.'
    fail 'That process has the smallest RSS, but it has little mapped too.'
fi
hint 'Subtract RSS from VSZ, row by row.'
fail 'That is one of your processes. Another one has a wider gap.'
