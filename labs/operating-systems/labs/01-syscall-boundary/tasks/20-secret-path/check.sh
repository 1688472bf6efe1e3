#!/bin/bash
# Passed: the answer is the path that mystery.c puts together from this sandbox's seed.

letters=abcdefghijklmnopqrstuvwxyz
fnv1a "$(derive mystery)"
path=/etc/
for ((i = 0; i < 8; i++)); do
    path+=${letters:((REPLY >> (56 - 8 * i)) & 0xff) % 26:1}
done
path+=.conf

expected "this sandbox's own path, as \`mystery\` asks for it"
evidence 'mystery; echo "status $?"'
if ! answered; then
    observed 'no answer'
    hint 'It builds the path while it runs. What can watch that?'
    fail 'You have not answered a path yet.'
fi

attempt
observed "\`${REPLY:0:200}\`"
case $REPLY in
"$path")
    pass "Passed. \`mystery\` asks for \`$path\`, and the kernel answers ENOENT."
    ;;
/etc/ld.so.cache | /lib/* | /usr/lib/*)
    hint 'Every program begins with these. Look further down.'
    fail 'That file belongs to the start of every program: the loader opens it.'
    ;;
/run/lab/mystery.seed)
    hint 'It is opened with success. Look for the one that is not there.'
    fail 'That file is there: `mystery` reads it first, to build the path.'
    ;;
"${path##*/}" | "${path%.conf}" | "${path#/}")
    hint 'Take all of it, from the first slash to the ending.'
    fail 'That is a part of the path. The kernel was asked for the whole.'
    ;;
/etc/[a-z][a-z][a-z][a-z][a-z][a-z][a-z][a-z].conf)
    hint 'The path differs for each sandbox. Watch `mystery` in this one.'
    fail 'That path has the right form, but `mystery` asks for another one here.'
    ;;
/*)
    hint 'It builds the path while it runs. What can watch that?'
    fail 'That is not the path that `mystery` asks for in this sandbox.'
    ;;
*)
    hint 'A full path begins with a slash.'
    fail 'That is not a full path.'
    ;;
esac
