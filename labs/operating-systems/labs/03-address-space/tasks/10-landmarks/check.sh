#!/bin/bash
# Passed: the answer is the start of the heap in the map of a resident that runs.

expected 'the address at which the heap of a running `resident` starts'

# plain TEXT sets REPLY to an address as the map writes it: no 0x, no zeros in front.
plain() {
    REPLY=${1,,}
    REPLY=${REPLY#0x}
    REPLY=${REPLY#"${REPLY%%[!0]*}"}
}

# region PID ADDRESS sets from, to, name to the region that holds it.
region() {
    local range
    while read -r range _ _ _ _ name; do
        from=${range%-*} to=${range#*-}
        if ((0x$from <= 0x$2 && 0x$2 < 0x$to)); then
            return 0
        fi
    done 2>/dev/null <"/proc/$1/maps"
    return 1
}

running resident
residents=("${pids[@]}")
newest=$(printf '%s\n' "${residents[@]}" | sort -n | tail -n 1)
if ! answered; then
    observed "${#residents[@]} processes run \`resident\`"
    evidence 'pgrep -c -x resident'
    hint 'Its PID leads to its map, below `/proc`.'
    fail 'You have not answered an address yet.'
fi

attempt
observed "\`${REPLY:0:60}\`"
given=${REPLY//[[:space:]]/}
if [[ -z $newest ]]; then
    evidence 'pgrep -x resident || echo "no resident runs"'
    hint 'Start it, and read the map while it lives.'
    fail 'No `resident` runs now, so nobody has that address.'
fi
evidence "grep heap /proc/$newest/maps"
if [[ $given =~ ^(0x)?[0-9a-fA-F]{1,16}-(0x)?[0-9a-fA-F]{1,16}$ ]]; then
    hint 'The first of the two is the address of the first byte.'
    fail 'That is a range. It starts with the number before the dash.'
fi
if ! [[ $given =~ ^(0[xX])?[0-9a-fA-F]{4,16}$ ]]; then
    hint 'An address is a hexadecimal number, the first one of its line.'
    fail 'That is not an address.'
fi
plain "$given"
given=$REPLY

for pid in "${residents[@]}"; do
    maps "$pid" '[heap]' || continue
    range=$REPLY
    plain "${range%-*}"
    if [[ $REPLY == "$given" ]]; then
        pass "Passed. The heap of PID $pid starts at \`0x$given\`."
    fi
    plain "${range#*-}"
    if [[ $REPLY == "$given" ]]; then
        hint 'The first of the two numbers is the one asked for.'
        fail 'There the heap ends: it is the first address behind it.'
    fi
done
if region "$newest" "$given"; then
    hint 'The line that ends in `[heap]` begins with the start of the heap.'
    case $name in
    '[heap]')
        fail 'That address lies in the heap, but is not its first.'
        ;;
    '[stack]')
        fail 'That address lies in the stack of `resident`, not in its heap.'
        ;;
    */resident)
        fail 'That address lies in the program itself: its code or its variables.'
        ;;
    *)
        fail 'That address belongs to `resident`, but not to its heap.'
        ;;
    esac
fi
running ''
for pid in "${pids[@]}"; do
    if [[ /proc/$pid/exe -ef /bin/bash ]] && maps "$pid" '[heap]' && [[ ${REPLY%-*} == "$given" ]]; then
        evidence "grep heap /proc/$pid/maps"
        hint 'Below `/proc`, the PID decides whose map you read.'
        fail 'That is where the heap of your shell starts.'
    fi
done
hint 'Whose map did you read? `/proc/self` belongs to the one who reads it.'
fail 'That address lies in no region of the `resident` that runs.'
