#!/bin/bash
# Passed: the five words are the regions that resident.c asks about in the process of
# the learner's that was started last. A process asks always the same, so it gets one
# answer: /run/lab/asked has a line for each that was given, "PID.START WORDS".

seen=/run/lab/asked
count=5
regions=(text heap stack library none)
expected "the regions of the $count addresses, in their order"

# born PID sets REPLY to when it was started, in ticks.
born() {
    local stat
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    read -r -a stat <<<"${stat##*) }"
    REPLY=${stat[19]}
}

# words TEXT sets REPLY to the regions that an answer names, each in our word for it.
words() {
    local word
    set -f
    # shellcheck disable=SC2086 # words is what they are to become
    set -- ${1//[^[:alpha:]]/ }
    set +f
    REPLY=''
    for word in "${@,,}"; do
        case $word in
        [a-e]) continue ;; # the letter of an address
        code) word=text ;;
        lib | libs | libc | libraries) word=library ;;
        nothing | gap | nobody) word=none ;;
        esac
        REPLY+="${REPLY:+ }$word"
    done
}

running resident
newest='' since=0
for pid in "${pids[@]}"; do
    if born "$pid" && ((REPLY > since || (REPLY == since && pid > newest))); then
        newest=$pid since=$REPLY
    fi
done
if ! answered; then
    observed "${#pids[@]} processes run \`resident\`"
    evidence 'pgrep -c -x resident'
    hint 'Compare each address with the ranges in the map, one after the other.'
    fail 'You have not answered the five regions yet.'
fi

observed "\`${REPLY:0:80}\`"
words "$REPLY"
given=$REPLY
if [[ -z $newest ]]; then
    attempt
    evidence 'pgrep -x resident || echo "no resident runs"'
    hint 'Have it ask, and answer while it lives.'
    fail 'No `resident` runs now, so there is no map to hold your answer against.'
fi
evidence "cat /proc/$newest/maps"

# resident.c has the same: a digit in base 5 for each, so that no answer is likelier
# than another.
right=''
sealed resident "$newest"
digits=$((REPLY >> 32 & 0xffffffff))
for ((i = 0; i < count; i++)); do
    right+="${right:+ }${regions[digits % count]}"
    digits=$((digits / count))
done

# The first answer that it got counts; the others are there so that none of them is
# taken for the answer to the next one.
mine='' whose='' known=''
while read -r process answer; do
    if [[ $process == "$newest.$since" ]]; then
        mine=${mine:-$answer}
    fi
    if [[ $answer == "$given" ]]; then
        whose=$process known=1
    fi
done <"$seen"
if [[ -z $mine && -n $known ]]; then
    observed "PID $newest runs; you answered that when PID ${whose%.*} was the last"
    hint 'Read the addresses that the last one printed.'
    fail 'That was your answer to another `resident`. The last one waits for its own.'
fi

attempt
for word in $given; do
    if ! [[ " ${regions[*]} " == *" $word "* ]]; then
        hint 'Use text, heap, stack, library or none for each.'
        fail 'One of your words is none of the five regions.'
    fi
done
read -r -a list <<<"$given"
if ((${#list[@]} != count)); then
    hint 'Put all of them in one pair of quotes, `a` first.'
    fail 'That is not one word for each of the five addresses.'
fi
if [[ -z $known ]]; then
    printf '%s %s\n' "$newest.$since" "$given" >>"$seen"
fi
if [[ ${mine:-$given} != "$given" ]]; then
    observed "PID $newest was answered before: \`$mine\`"
    hint 'Start another one and have it ask.'
    fail 'This `resident` has had its answer. Another one asks about other addresses.'
fi
if [[ $given == "$right" ]]; then
    observed "five of five in PID $newest"
    pass "Passed. Each of the five addresses is where you said, in the map of PID $newest."
fi
hint 'Find the two lines that an address lies between. Is it below the end of the first?'
fail 'At least one of the five lies somewhere else. Another `resident` asks anew.'
