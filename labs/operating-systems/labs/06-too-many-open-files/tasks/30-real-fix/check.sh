#!/bin/bash
# Passed: a running leaky that takes its settings from a file has leaked before, serves
# 40 requests more, and has as many descriptors afterwards. A leak adds two meanwhile.

served_line=17 # bytes that leaky.c writes into leaky.log for each request served
leaked=3       # so many it must have forgotten, to be one that was mended
usual=1024     # descriptors in leaky.conf as setup.sh writes it

# settings_of PID sets REPLY to the file of settings that it was given.
settings_of() {
    local args
    mapfile -d '' -t args 2>/dev/null <"/proc/$1/cmdline" && ((${#args[@]} > 1)) || return 1
    REPLY=${args[1]}
    if [[ $REPLY != /* ]]; then
        REPLY=/proc/$1/cwd/$REPLY
    fi
}

# as_begun PID FILE tells whether the file has not changed since the process began.
as_begun() {
    local stat fields up
    read -r stat 2>/dev/null <"/proc/$1/stat" && read -r up _ </proc/uptime || return 1
    read -r -a fields <<<"${stat##*) }"
    awk -v now="$EPOCHREALTIME" -v changed="$(stat -c %.6Z -- "$2" 2>/dev/null)" -v up="$up" -v began="${fields[19]}" \
        'BEGIN { exit !(now - changed > up - began / 100) }'
}

# setting PID NAME sets REPLY to what stands in that file now. The learner may put
# anything in its place: follow no link, wait for no writer.
setting() {
    settings_of "$1" && [[ -f $REPLY ]] || return 1
    REPLY=$(timeout 2 dd if="$REPLY" iflag=nofollow,nonblock bs=4096 count=1 status=none |
        tr -d '\0' | awk -v name="$2" '$1 == name { value = $2 } END { print value }')
}

# served PID sets REPLY to how many requests it has written down: the kernel keeps how far
# its descriptor of leaky.log has come.
served() {
    local log position
    log=$(find "/proc/$1/fd" -lname '*/leaky.log*' -print -quit)
    read -r _ position 2>/dev/null <"/proc/$1/fdinfo/${log##*/}" || return 1
    REPLY=$((position / served_line))
}

# one_ended tells whether a leaky has ended since the first was started with settings.
one_ended() {
    local since=''
    while typed leaky.conf; do
        if [[ $line =~ (^|[^[:alnum:]_.-])leaky[[:space:]] ]]; then
            since=$began
        fi
    done
    [[ -n $since ]] && ended leaky && ((end >= since))
}

# hung_up tells whether SIGHUP was sent by a command.
hung_up() {
    local name
    for name in kill pkill killall; do
        while typed "$name"; do
            if [[ $line =~ HUP|[[:space:]]-1([[:space:]]|$) ]]; then
                return 0
            fi
        done
    done
    return 1
}

expected 'a `leaky` that has leaked, serves on, and keeps its count for 40 requests'
running leaky
leaky=''
for pid in "${pids[@]}"; do
    if settings_of "$pid"; then
        leaky+=" $pid"
    fi
done
read -r -a all <<<"$leaky"
if ((${#all[@]} == 0)); then
    observed 'no process `leaky` with a file of settings'
    evidence 'pgrep -a leaky || echo "no process leaky"'
    if one_ended; then
        attempt
        observed "PID $pid has ended; no \`leaky\` with settings is left"
        evidence 'pgrep -a leaky || echo "no process leaky"'
        hint 'Start it again. It can be told something while it runs.'
        fail 'No `leaky` is left: the leak has ended, and the service too.'
    fi
    hint 'Start it in the background, with its file of settings behind its name.'
    fail '`leaky leaky.conf` does not run yet.'
fi
if ((${#all[@]} > 1)); then
    attempt
    observed "PIDs ${all[*]}"
    evidence 'pgrep -a leaky'
    hint 'One server is enough. Which is the newer one?'
    fail 'More than one `leaky` takes its settings from a file. Keep one.'
fi
leaky=${all[0]}
evidence "for i in 1 2 3; do ls /proc/$leaky/fd | wc -l; sleep 1; done"
proc "$leaky" State
if [[ $REPLY == T* ]]; then
    attempt
    observed "PID $leaky in state \`$REPLY\`"
    evidence "grep State /proc/$leaky/status"
    hint 'It opens nothing since it does nothing. Let it go on.'
    fail '`leaky` is stopped, and so is the service.'
fi

if ! genuine "$leaky" leaky; then
    attempt
    observed "PID $leaky: $REPLY"
    evidence "ps -o pid,args -p $leaky; grep TracerPid /proc/$leaky/status"
    hint 'Start it by itself, and let nothing stand between it and the kernel.'
    fail 'That `leaky` does not run as it was built.'
fi

# Watch it until 40 requests were served or none came in a second, or until it has grown.
fds "$leaky"
before=$REPLY after=$REPLY begun=0 requests=0
if served "$leaky"; then
    begun=$REPLY
fi
for ((n = 0; n < 25 && requests < 40 && after <= before && (n < 5 || requests > 0); n++)); do
    sleep 0.2
    fds "$leaky"
    after=$REPLY
    if served "$leaky"; then
        requests=$((REPLY - begun))
    fi
done
nofile "$leaky"
observed "PID $leaky: $before, then $after descriptors of $soft; $requests requests served"

if ((after > before)); then
    evidence "for i in 1 2 3; do ls /proc/$leaky/fd | wc -l; sleep 1; done; grep 'open files' /proc/$leaky/limits"
    hint 'Which requests leave their files open, and which setting decides that?'
    if setting "$leaky" close-failed && [[ $REPLY == yes ]]; then
        attempt
        hint 'When does `leaky` read its settings?'
        fail 'The file is mended, but the running `leaky` has not read it since.'
    fi
    if ((soft > usual)); then
        attempt
        fail 'You raised the limit; the leak goes on.'
    fi
    if one_ended; then
        attempt
        fail 'A new `leaky` began with few descriptors, and leaks like the one before.'
    fi
    if hung_up; then
        attempt
        fail '`leaky` read its settings again, and leaks as it did.'
    fi
    fail '`leaky` leaks.'
fi
if ((after >= soft)); then
    attempt
    observed "PID $leaky: $after of $soft descriptors, $requests requests served"
    evidence "ls /proc/$leaky/fd | wc -l; grep 'open files' /proc/$leaky/limits"
    hint 'It cannot even open its settings. `prlimit` can give it room from outside.'
    fail 'The count stands because `leaky` is at its limit, and serves nobody.'
fi
if ((requests < 40)); then
    attempt
    evidence "ls /proc/$leaky/fd | wc -l; tail -1 ~/leaky.log; sleep 2; tail -1 ~/leaky.log"
    hint 'Without requests nothing can leak, and nobody is served.'
    fail 'The count stands because hardly a request comes in.'
fi
forgotten=$(find "/proc/$leaky/fd" -lname /etc/hostname | wc -l)
if ((forgotten < leaked)); then
    attempt
    observed "PID $leaky: $after descriptors, $forgotten of them forgotten files; $requests requests served"
    evidence "ls -l /proc/$leaky/fd"
    hint 'Start one with the old settings, let it leak, and mend it while it runs.'
    fail 'This `leaky` has not leaked: it began with mended settings.'
fi
# A file that it was given open looks like one that it has forgotten, so this leaky may
# have had mended settings from its start. Then nobody has changed them since.
if settings_of "$leaky" && as_begun "$leaky" "$REPLY"; then
    attempt
    evidence "stat -c 'changed %z' ~/leaky.conf; ps -o lstart= -p $leaky"
    hint 'Start one with the old settings, let it leak, and mend it while it runs.'
    fail 'This `leaky` has the settings that it began with. Nothing was mended while it ran.'
fi
pass "Passed. $requests requests were served, and the count stayed at $after."
