#!/bin/bash
# Passed: ~/rescued is a regular file with the notes that keeper.c makes of this
# sandbox's seed. Where they came from does not matter: they stand nowhere else.

fnv1a "$(derive keeper)"
notes='' first=''
for i in {1..8}; do
    REPLY=$((REPLY * 6364136223846793005 + 1442695040888963407))
    printf -v note 'note %d: %016x' "$i" "$REPLY"
    notes+=$note$'\n'
    first=${first:-$note}
done

file=~learner/rescued
running keeper
keeper=${pids[0]-}
expected "a file \`rescued\` in your home with the ${#notes} bytes of the deleted one"
evidence 'ls -l ~/rescued'

if [[ -L $file ]]; then
    attempt
    observed "a link to \`$(readlink -- "$file")\`"
    hint 'Reading it gives the bytes, as long as it leads somewhere. They have to be written to a file.'
    fail '`rescued` is a link. It keeps a path, not the content.'
fi
if [[ -e $file ]]; then
    attempt
    size=$(stat -c %s -- "$file")
    observed "$size bytes"
    if [[ ! -f $file ]]; then
        observed "a $(stat -c %F -- "$file")"
        hint 'The name has to lead to a file of your own.'
        fail '`rescued` is there, but it is no ordinary file.'
    fi
    # The learner may put something else in its place at any moment: follow no link
    # and wait for no writer. The x keeps the line feeds at the end.
    text=$(timeout 2 dd if="$file" iflag=nofollow,nonblock bs=4096 count=1 status=none | tr -d '\0'; echo x)
    text=${text%x}
    if [[ $text == "$notes" && $size == "${#notes}" ]]; then
        pass "Passed. \`rescued\` has the $size bytes of a file that has no name."
    fi
    if [[ -z $text ]]; then
        hint 'Look at the size of what you read from, and at what the command said.'
        fail '`rescued` is there, and empty.'
    fi
    if [[ $notes == "$text"* ]]; then
        hint 'Take all of it, to the last line.'
        fail '`rescued` has the beginning of the file, and not the rest.'
    fi
    evidence 'head -c 200 ~/rescued; wc -c ~/rescued'
    if [[ $text == *"${first:8}"* ]]; then
        hint 'Copy the file as it is: byte for byte.'
        fail '`rescued` has the notes, but not byte for byte.'
    fi
    hint 'Of the entries of `keeper`, one is marked as deleted.'
    fail '`rescued` has something else than the deleted file of `keeper`.'
fi

observed 'no such file in your home'
while typed fd; do
    if [[ $output == *"$first"* ]]; then
        attempt
        evidence 'ls -l ~'
        hint 'What was printed can be sent into a file instead.'
        fail 'The notes went through this terminal. No file holds them yet.'
    fi
done
if [[ -n $keeper ]]; then
    observed "PID $keeper holds the file; nothing is saved"
    evidence "ls -l /proc/$keeper/fd"
    hint 'What leads to a file besides its name?'
    fail 'The notes are not saved yet.'
fi
evidence 'ps -eo pid,comm'
if ended keeper; then
    attempt
    observed "PID $pid, \`keeper\`, has ended; no process \`keeper\` is left"
    evidence 'pgrep -a keeper || echo "no process keeper is left"'
    hint 'Start it again, and read while it lives.'
    fail '`keeper` has ended. With its last descriptor the kernel freed the file.'
fi
observed 'no process `keeper`'
hint 'Start it in the background.'
fail '`keeper` does not run yet.'
