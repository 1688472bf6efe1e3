#!/bin/bash
# Passed: the answer is LIMIT:COUNT:KIND, with the soft limit that the kernel has for the
# running leaky, a count of at most a minute ago, and what leaky.c makes of the seed.

fnv1a "$(derive leaky)"
burst=$((60 + (((REPLY >> 1) & 0x7fffffffffffffff) % 50 * 2 + (REPLY & 1)) % 100))
kind=leak
if ((REPLY >> 40 & 1)); then
    kind=spike
fi
filled=$((4 + burst)) # standard input, output, error and its log come before
minute=60             # one request in 20 fails, 20 come in a second: one leaked each second

# own_settings PID tells whether it runs as the seed says, without a file of settings.
own_settings() {
    local args
    mapfile -d '' -t args 2>/dev/null <"/proc/$1/cmdline" && ((${#args[@]} == 1))
}

expected 'the soft limit of `leaky`, its count within the last minute, and `leak` or `spike`'
running leaky
leaky=''
for pid in "${pids[@]}"; do
    if own_settings "$pid"; then
        leaky=$pid
    fi
done
if [[ -z $leaky ]]; then
    observed 'no process `leaky` without a file of settings'
    evidence 'pgrep -a leaky || echo "no process leaky"'
    if answered; then
        attempt
        hint 'Start it again and look anew.'
        fail 'No `leaky` runs here now, so it has neither limit nor count.'
    fi
    hint 'Start it in the background, without anything behind its name.'
    fail '`leaky` does not run yet.'
fi
if ! answered; then
    observed "no answer; \`leaky\` is PID $leaky"
    evidence "ls /proc/$leaky/fd | wc -l"
    hint 'What does the count do from one look to the next?'
    fail 'You have not answered yet.'
fi

attempt
evidence "grep 'open files' /proc/$leaky/limits; ls /proc/$leaky/fd | wc -l"
answer=$REPLY
if ! [[ ${answer,,} =~ ^([0-9]{1,7})[^0-9a-z]+([0-9]{1,7})[^0-9a-z]+(a )?(leak|spike)$ ]]; then
    observed "\`${answer:0:60}\`"
    hint 'Limit, count and kind, in this order, with colons between them.'
    fail 'That is not the form: two numbers, and `leak` or `spike`.'
fi
told_limit=$((10#${BASH_REMATCH[1]})) told_count=$((10#${BASH_REMATCH[2]})) told_kind=${BASH_REMATCH[4]}

nofile "$leaky"
fds "$leaky"
now=$REPLY
observed "\`${answer:0:60}\`"
if ((told_limit == hard && soft != hard)); then
    hint 'Two numbers stand in that line. Which of them is in force?'
    fail 'That is the hard limit of `leaky`. It meets the soft one first.'
fi
if ((told_limit != soft)); then
    hint 'Each process has limits of its own: look at those of `leaky`.'
    fail 'That is not the soft limit of the running `leaky`.'
fi
if ((told_count > now + 1)); then
    hint '`lsof` also lists the program, its libraries and its folder: they have no number.'
    fail '`leaky` has fewer descriptors than that.'
fi
oldest=$filled
if [[ $kind == leak ]]; then
    oldest=$((now - minute))
fi
if ((now < filled)); then
    oldest=1 # the burst is not over
fi
if ((told_count < oldest)); then
    hint 'Count again right before you answer.'
    fail '`leaky` has more descriptors by now.'
fi
if [[ $told_kind != "$kind" ]]; then
    sleep 2.5
    fds "$leaky"
    observed "PID $leaky: $now descriptors, and $REPLY a little later"
    evidence "pgrep -a leaky; for i in 1 2 3; do ls /proc/$leaky/fd | wc -l; sleep 2; done"
    hint 'The first seconds are the same for both. Look several times after them.'
    fail 'Watched for longer, the count of `leaky` tells the other story.'
fi
if [[ $kind == leak ]]; then
    pass "Passed. \`leaky\` leaks one descriptor a second: $now of $soft."
fi
pass "Passed. \`leaky\` had one spike and stands at $now of $soft."
