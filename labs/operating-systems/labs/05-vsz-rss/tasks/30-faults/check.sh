#!/bin/bash
# Passed: the answer is the number of pages that promise.c touches by this sandbox's
# seed. A signal and what follows may cost a few faults of their own.

fnv1a "$(derive promise)"
pages=$((2000 + (REPLY >> 32 & 0xffffffff) % 2001))
slack=12

expected 'by how much the count of minor faults moves with the first SIGUSR1'
evidence 'ps -C promise -o pid,min_flt,maj_flt,rss,args'
if ! answered; then
    observed 'no answer'
    hint 'Two readings of one count make the answer.'
    fail 'You have not answered a number yet.'
fi

attempt
observed "\`${REPLY:0:40}\`"
number=${REPLY//,/}
if ! [[ $number =~ ^[0-9]{1,12}$ ]]; then
    hint 'Subtract the first reading from the second.'
    fail 'That is not a number of faults.'
fi
number=$((10#$number))
if ((number >= pages && number <= pages + slack)); then
    pass "Passed. $pages pages came, each with a fault of its own: $((pages * 4)) KiB."
fi
if ((number <= slack)); then
    observed "\`$number\`"
    hint 'Pages that are there cost nothing. Begin with a fresh `promise`.'
    fail 'So few faults come when the pages were there already.'
fi
if ((number > pages + slack && number <= pages + 400)); then
    hint 'It had faults before the signal. How many?'
    fail 'That is near, and too high: the start of the program is in it.'
fi
if ((number == 16384)); then
    evidence 'echo $((64 * 1024 / 4))'
    hint 'It does not touch all that it has. Count what happens.'
    fail 'That is how many pages are mapped. Not all of them were touched.'
fi
if ((number >= pages * 4 - 400 && number <= pages * 4 + 2000)); then
    evidence 'getconf PAGESIZE'
    hint 'How many KiB does one fault bring?'
    fail 'That is what RSS is or rose by, in KiB. Faults come by the page.'
fi
hint 'Read the count before the signal and after, of one process.'
fail 'That is not by how much the count moves in this sandbox.'
