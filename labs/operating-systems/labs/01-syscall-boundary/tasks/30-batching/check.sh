#!/bin/bash
# Passed: the answer is the number of writes that drip.c makes of this sandbox's seed.

fnv1a "$(derive drip)"
want=$((300 + (REPLY >> 32 & 0xffffffff) % 1201))
expected "how often \`drip\` calls \`write\` in this sandbox"
evidence 'drip | wc -c; gulp | wc -c'
if ! answered; then
    observed 'no answer'
    hint 'Which option of `strace` counts?'
    fail 'You have not answered a number yet.'
fi

attempt
observed "\`${REPLY:0:40}\`"
number=${REPLY//,/}
if ! [[ $number =~ ^[0-9]{1,9}$ ]]; then
    hint 'The tally has it in the column `calls`.'
    fail 'That is not a number of calls.'
fi
number=$((10#$number))
if ((number == want)); then
    pass "Passed. \`drip\` crosses into the kernel $want times for what \`gulp\` does in one call."
fi
case $number in
4032)
    hint 'Bytes are one thing, requests another.'
    fail '4032 is the number of bytes, not of calls.'
    ;;
1)
    hint 'Look at the row `write` of the other program.'
    fail 'One call is what `gulp` makes.'
    ;;
esac
hint 'Read the row `write`, column `calls`, of a tally of `drip`.'
if ((number > want && number <= want + 100)); then
    fail 'That is more than the calls of `write`. Other calls may be in it.'
fi
fail 'That is not how often `drip` calls `write` in this sandbox.'
