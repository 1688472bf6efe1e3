# shellcheck shell=bash disable=SC2034
# The vocabulary of setup.sh and check.sh. It is put in front of them, and all of it
# is fed to bash on standard input, as root in the learner's sandbox.
#
# A check ends by `pass MESSAGE` or `fail MESSAGE`. Before, it may say `attempt` when
# what it saw was an attempt at this task, and what it `expected`, what it `observed`,
# which harmless command is the `evidence`, and a `hint`. Without these words the
# first line of its output is the message, and its exit status the result.
#
# Given: SN_TASK, SN_SEED (hex), SN_UID (the learner's), SN_ANSWER (only if one was
# submitted). Never believe what a learner can write: names, lines, output, marks.

set -uo pipefail
PATH=/usr/sbin:/usr/bin:/sbin:/bin
umask 022

# sn_tell KEY VALUE writes one line of the result. SN_TOKEN, new for every run and
# not in the environment, tells it from whatever else is printed.
sn_tell() {
    local value=${2//\\/\\\\}
    printf '%s %s %s\n' "$SN_TOKEN" "$1" "${value//$'\n'/\\n}"
}

pass() { sn_tell message "$1"; exit 0; }
fail() { sn_tell message "$1"; exit 1; }
attempt() { sn_tell attempted 1; }
expected() { sn_tell expected "$1"; }
observed() { sn_tell observed "$1"; }
evidence() { sn_tell evidence "$1"; }
hint() { sn_tell hint "$1"; }

# outcome VALUE says what was to be predicted, where it depends on the sandbox. The
# learner reads it beside his prediction once the task is passed.
outcome() { sn_tell outcome "$1"; }

# derive NAME prints 64 hex digits that belong to this sandbox and NAME.
derive() {
    local sum
    sum=$(sha256sum <<<"$SN_SEED:$1") || return
    printf '%s\n' "${sum%% *}"
}

# derive_number NAME LOW HIGH prints a number from LOW to HIGH likewise.
derive_number() {
    local hex
    hex=$(derive "$1") || return
    printf '%d\n' $(($2 + 0x${hex:0:12} % ($3 - $2 + 1)))
}

# fnv1a TEXT sets REPLY to the 64-bit FNV-1a hash, as the lab programs make it of their
# seed. Bash wraps as C does, but its numbers have a sign: mask what is shifted out.
fnv1a() {
    local text=$1 i byte
    REPLY=$((0xcbf29ce484222325))
    for ((i = 0; i < ${#text}; i++)); do
        printf -v byte '%d' "'${text:i:1}"
        REPLY=$(((REPLY ^ byte) * 0x100000001b3))
    done
}

# sealed NAME TEXT sets REPLY to the number that a lab program makes of the seed NAME
# and a text, such as its PID (images/programs/seal.h).
sealed() {
    fnv1a "$(derive "$1")"
    printf -v REPLY '%016x:%s' "$REPLY" "$2"
    fnv1a "$REPLY"
}

# answered sets REPLY to the submitted answer, without blanks around it.
answered() {
    [[ -v SN_ANSWER ]] || return 1
    REPLY=${SN_ANSWER#"${SN_ANSWER%%[![:space:]]*}"}
    REPLY=${REPLY%"${REPLY##*[![:space:]]}"}
}

# lacks WHAT tells whether this sandbox has no "accounting" or no "inotify".
lacks() { [[ " ${SN_MISSING-} " == *" $1 "* ]]; }

# The journal, newest first, sn_fields for each command; see sn_command.
sn_fields=10
mapfile -d '' -t sn_journal <"${SN_JOURNAL:-/dev/null}"
# Every opening of a watched program.
mapfile -t sn_opened <"${SN_OPENED:-/dev/null}"

# ended NAME [PARENT] goes, call by call, through the learner's processes of that
# name (any, if empty) that ended, newest first. It sets pid, ppid, command, status,
# signal, start, end, minor, major, execed (0 for a copy of its parent that never ran
# a program), tab (of its terminal, 0 without one). Only the name can be forged.
sn_ended_asked='' sn_ended_found=()
ended() {
    if [[ "+$*" != "$sn_ended_asked" ]]; then
        sn_ended_asked="+$*"
        mapfile -t sn_ended_found < <(sn_select "$1" "${2-}")
    fi
    if ((${#sn_ended_found[@]} == 0)); then
        sn_ended_asked=''
        return 1
    fi
    sn_record "${sn_ended_found[-1]}"
    unset 'sn_ended_found[-1]'
}

# sn_select NAME PARENT prints the records of the learner's processes, oldest first.
sn_select() {
    awk -F '\t' -v uid="$SN_UID" -v name="$1" -v parent="$2" \
        '$4 == uid && (name == "" || $5 == name) && (parent == "" || $3 == parent)' "${SN_ENDED:-/dev/null}"
}

sn_record() {
    IFS=$'\t' read -r _ pid ppid _ command status signal start end minor major execed tab sn_from sn_to <<<"$1"
}

# typed [NAME] goes, newest first, through the commands whose line holds that word. It
# sets line, output, late (what came after its end), exit, began, finished (Unix
# milliseconds, 0 while it runs), place (0 for the newest). It proves nothing.
sn_typed_asked='' sn_typed_next=0
typed() {
    if [[ "+$*" != "$sn_typed_asked" ]]; then
        sn_typed_asked="+$*" sn_typed_next=0
    fi
    while ((sn_typed_next * sn_fields < ${#sn_journal[@]})); do
        sn_command "$sn_typed_next"
        sn_typed_next=$((sn_typed_next + 1))
        if [[ -z ${1-} ]] || sn_names "$1"; then
            return 0
        fi
    done
    sn_typed_asked=''
    return 1
}

# ran NAME goes, newest first, through the commands during which a process of that
# name, of the learner's, ended, as the kernel wrote it down, and through each such
# process, newest first. It ran a program, not only took that name; for programs whose
# real file is watched, that file was opened as well. What a command left running
# counts for it until the next one begins. It sets what typed and ended set, and
# named: 1 if the line holds the word, or is not known; seen: 1 if the guest saw this
# very process run that file, which one that lived for a moment only may escape; and
# then args, its arguments.
sn_ran_asked='' sn_ran_next=0 sn_ran_at=0 sn_ran_found=() sn_ran_tabs=() sn_ran_froms=() sn_ran_tos=()
sn_ran_most=256 # processes of that name that are looked at, the newest
ran() {
    if [[ "$*" != "$sn_ran_asked" ]]; then
        sn_ran_asked="$*" sn_ran_next=0
        mapfile -t sn_ran_found < <(sn_select "$1" '' | tail -n "$sn_ran_most")
        sn_ran_at=${#sn_ran_found[@]}
        # Taken apart once: every command is held against every process.
        local record
        sn_ran_tabs=() sn_ran_froms=() sn_ran_tos=()
        for record in "${sn_ran_found[@]}"; do
            sn_ran_tos+=("${record##*$'\t'}")
            record=${record%$'\t'*}
            sn_ran_froms+=("${record##*$'\t'}")
            record=${record%$'\t'*}
            sn_ran_tabs+=("${record##*$'\t'}")
        done
    fi
    while ((sn_ran_next * sn_fields < ${#sn_journal[@]})); do
        sn_command "$sn_ran_next"
        named=0
        if [[ -z $line ]] || sn_names "$1"; then
            named=1
        fi
        if lacks accounting; then
            sn_ran_next=$((sn_ran_next + 1))
            pid='' ppid='' status=$exit signal=0 start=$began end='' minor=0 major=0 execed=1
            if ((named && finished)) && sn_real "$1"; then
                return 0
            fi
            continue
        fi
        while ((sn_ran_at > 0)); do
            sn_ran_at=$((sn_ran_at - 1))
            ((sn_ran_tabs[sn_ran_at] == 0 || (sn_ran_tabs[sn_ran_at] == sn_tab &&
                (sn_ran_tos[sn_ran_at] < 0 || sn_ran_tos[sn_ran_at] >= sn_begins) &&
                (sn_next < 0 || sn_ran_froms[sn_ran_at] <= sn_next)))) || continue
            sn_record "${sn_ran_found[sn_ran_at]}"
            if ((execed)) && sn_during && sn_real "$1"; then
                return 0
            fi
        done
        sn_ran_next=$((sn_ran_next + 1)) sn_ran_at=${#sn_ran_found[@]}
    done
    sn_ran_asked=''
    return 1
}

# sn_command PLACE
sn_command() {
    local at=$(($1 * sn_fields))
    place=$1
    began=${sn_journal[at]} finished=${sn_journal[at + 1]} exit=${sn_journal[at + 2]}
    line=${sn_journal[at + 3]} output=${sn_journal[at + 4]} late=${sn_journal[at + 5]}
    sn_tab=${sn_journal[at + 6]} sn_begins=${sn_journal[at + 7]}
    sn_ends=${sn_journal[at + 8]} sn_next=${sn_journal[at + 9]}
}

# sn_names NAME: the line holds NAME as a word, a path before it allowed.
sn_names() { [[ $line =~ (^|[^[:alnum:]_.-])"$1"($|[^[:alnum:]_.-]) ]]; }

# sn_during: the process ended during the command, or after it and before the next,
# by its place in what the terminal printed. -1 is what has not come yet. Who left his
# terminal has only the time: the kernel keeps whole seconds of it.
sn_during() {
    if ((tab == 0)); then
        ((start >= began - 2000 && (finished == 0 || end <= finished + 1000)))
        return
    fi
    ((tab == sn_tab && (sn_to < 0 || sn_to >= sn_begins) &&
        (sn_ends < 0 || sn_next < 0 || sn_from <= sn_ends || (sn_to >= 0 && sn_to <= sn_next))))
}

# sn_real NAME: the real file of that program, if it is one of those that are watched,
# was opened while the process lived, and nothing of the learner's was loaded into it.
# It sets seen and args. Who lived for a while and ran that file was seen to do so.
# Without the kernel's record nobody else says which process it was: then whoever was
# seen to run it sets pid, the newest.
sn_real() {
    local path record at there who loaded words found=0 wanted=$pid
    seen=0 args=()
    case $1 in
    strace | gdb | ps | lsof | kill) path=/usr/bin/$1 ;;
    *)
        path=/usr/local/bin/$1
        [[ -f $path && ! -L $path ]] || return 0
        ;;
    esac
    lacks inotify && return 0
    for record in "${sn_opened[@]}"; do
        [[ $record == *"$path"* ]] || continue
        IFS=$'\t' read -r at there who loaded words <<<"$record"
        if [[ $there == "$path" ]] && ((at >= start - 1000 && at <= ${end:-$start} + 2000)); then
            found=1
            if [[ -n $who && $who == "${wanted:-$who}" ]]; then
                ((loaded)) && return 1
                seen=1 pid=$who
                IFS=$'\x1f' read -r -a args <<<"$words"
            fi
        fi
    done
    ((found)) || return 1
    case $1 in
    ps | kill) return 0 ;; # nobody looks for those
    esac
    ((seen || ${end:-0} - start < 200))
}

# genuine PID NAME: the process runs the image's own program of that name (a path, if
# it holds a slash), with nothing of the learner's mapped into it (a library put in
# front of its own), and nobody traces it now. It sets REPLY to why not. A name in ps
# proves nothing: a process may call itself what it likes.
genuine() {
    local path=$2
    [[ $path == */* ]] || path=$(type -P "$2") || path=/usr/local/bin/$2
    if ! [[ /proc/$1/exe -ef $path ]]; then
        REPLY="its program is not $path"
        return 1
    fi
    if ! proc "$1" TracerPid || ((REPLY)); then
        REPLY='it is being traced'
        return 1
    fi
    if awk '$4 != "00:00" && $6 !~ "^/(usr|lib|lib64)/" { found = 1 } END { exit !found }' "/proc/$1/maps" 2>/dev/null; then
        REPLY='a file of yours is mapped into it'
        return 1
    fi
}

# proc PID KEY sets REPLY to what /proc/PID/status has under KEY: State, PPid, VmRSS.
proc() {
    local key value
    while IFS=$':\t' read -r key value; do
        if [[ $key == "$2" ]]; then
            REPLY=$value
            return 0
        fi
    done 2>/dev/null <"/proc/$1/status"
    return 1
}

# running NAME sets pids to the learner's processes that run the lab program of that
# name; to all of his without one. Only its file counts: a name can be borrowed.
running() {
    local dir
    pids=()
    for dir in /proc/[0-9]*; do
        if [[ -z $1 || $dir/exe -ef /usr/local/bin/$1 ]] && proc "${dir##*/}" Uid && [[ ${REPLY%%[[:space:]]*} == "$SN_UID" ]]; then
            pids+=("${dir##*/}")
        fi
    done
}

# terminal_shell PID tells whether that process is the shell which PID 1 runs in a
# terminal, and not one that the learner started within it.
terminal_shell() {
    local stat parent session tty
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    read -r _ parent _ session tty _ <<<"${stat##*) }"
    [[ $parent == 1 && $session == "$1" && $tty != 0 && /proc/$1/exe -ef /bin/bash ]]
}

# fd PID N sets REPLY to what descriptor N of the process leads to. It opens nothing.
fd() { REPLY=$(readlink -- "/proc/$1/fd/$2"); }

# fds PID sets REPLY to how many descriptors the process has. It looks three times and
# takes the least: what is open for an instant only does not count.
fds() {
    local look all
    REPLY=1048576 # no process may have more, fs.nr_open
    for look in 1 2 3; do
        all=("/proc/$1/fd/"*)
        if ((${#all[@]} < REPLY)); then
            REPLY=${#all[@]}
        fi
    done
}

# nofile PID sets soft and hard to how many descriptors the process may have.
nofile() {
    local line
    while IFS= read -r line; do
        if [[ $line == 'Max open files'* ]]; then
            read -r _ _ _ soft hard _ <<<"$line"
            return 0
        fi
    done 2>/dev/null <"/proc/$1/limits"
    return 1
}

# maps PID NAME sets REPLY to the range of addresses, "5560…-5561…", of the first
# region of that name: [heap], [stack], a path.
maps() {
    local range name
    while read -r range _ _ _ _ name; do
        if [[ $name == "$2" ]]; then
            REPLY=$range
            return 0
        fi
    done 2>/dev/null <"/proc/$1/maps"
    return 1
}

# cgroup WHAT sets REPLY to a number of this sandbox's cgroup, version 1 or 2 alike:
# memory.limit, memory.used, memory.oom_kills, pids.limit, pids.used. "max" is no limit.
# It sets cgroup_file to the file that holds it here. SN_CGROUP is another root, for tests.
cgroup() {
    local root=${SN_CGROUP:-/sys/fs/cgroup} file key=''
    if [[ -e $root/cgroup.controllers ]]; then
        case $1 in
        memory.limit) file=memory.max ;;
        memory.used) file=memory.current ;;
        memory.oom_kills) file=memory.events key=oom_kill ;;
        pids.limit) file=pids.max ;;
        pids.used) file=pids.current ;;
        *) return 1 ;;
        esac
    else
        case $1 in
        memory.limit) file=memory/memory.limit_in_bytes ;;
        memory.used) file=memory/memory.usage_in_bytes ;;
        memory.oom_kills) file=memory/memory.oom_control key=oom_kill ;;
        pids.limit) file=pids/pids.max ;;
        pids.used) file=pids/pids.current ;;
        *) return 1 ;;
        esac
    fi
    cgroup_file=$root/$file
    local name number
    while read -r name number; do
        if [[ -z $key || $name == "$key" ]]; then
            REPLY=${number:-$name}
            # Version 1 has no word for "no limit", only the last page of a long.
            if [[ $1 == memory.limit && $REPLY == 92233720368547????? ]]; then
                REPLY=max
            fi
            return 0
        fi
    done 2>/dev/null <"$root/$file"
    return 1
}

# waitfor SECONDS COMMAND… waits until the command succeeds.
waitfor() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < until)) || return 1
        sleep 0.05
    done
}
