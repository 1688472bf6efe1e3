# Read by every interactive bash of the learner, also by shells in shells.
# shellcheck shell=bash

[[ $- == *i* ]] || return 0

export NO_COLOR=1 # what a program prints is read by people and by checks
shopt -s checkwinsize histappend
HISTCONTROL='' HISTSIZE=2000 HISTFILESIZE=4000
alias ll='ls -l'

# Loading the completions takes longer than all the rest: it waits for the first Tab.
__sn_completion() {
    complete -r -D
    # shellcheck source=/dev/null
    . /usr/share/bash-completion/bash_completion
    return 124 # asks bash to look again
}
if ! shopt -oq posix && [[ -r /usr/share/bash-completion/bash_completion ]]; then
    complete -D -F __sn_completion
fi

# Marks in the output tell where a command begins and ends, what it was and how it
# ended (OSC 133 A to D, OSC 633 E). They fork nothing, so the shell still works
# when no process slot is left, and they leave the DEBUG trap to the learner.
#
# The line is told when the command has ended, since only then can a builtin print
# it: fc writes it as it was typed, after a tab. So that it is in the history,
# HISTCONTROL and HISTIGNORE are put aside while a line is read; what they ask for
# is done afterwards.
__sn_control='' __sn_ignore='' __sn_kept=0 __sn_ran=0 __sn_one=_
__sn_room=100 # processes at most for one more; the learner may have 128

# PS0 is printed when a line was read, before it runs. It sets variables without a
# word of output: an element that is not there is empty, and a set in brackets that
# holds _ takes away the _ of __sn_one.
# shellcheck disable=SC2016
PS0='${__sn_one["__sn_ran=1"]-}${__sn_one#[_"${HISTCONTROL:=${__sn_control-}}"]}${__sn_one#[_"${HISTIGNORE:=${__sn_ignore-}}"]}\e]133;C;aid=$$\a'

__sn_prompt() {
    local status=$?
    if [[ ${__sn_ran-} == 1 ]]; then
        if [[ ${__sn_kept-} == 1 ]]; then
            builtin printf '\e]633;E;'
            builtin fc -ln -0 2>/dev/null || :
            builtin printf '\a'
            if [[ -n ${__sn_control-}${__sn_ignore-} ]]; then
                __sn_forget
            fi
        fi
        builtin printf '\e]133;D;%d;aid=%d\a' "$status" "$$"
        __sn_control=${HISTCONTROL-} __sn_ignore=${HISTIGNORE-}
    fi
    HISTCONTROL='' HISTIGNORE='' __sn_ran=0 __sn_kept=0
    if [[ -o history ]]; then
        __sn_kept=1
    fi
    return 0
}

# __sn_forget takes the last line out of the history again when HISTCONTROL or
# HISTIGNORE say so. It is the one place that forks, so it first looks for room.
__sn_forget() {
    local processes=(/proc/[0-9]*) line before pattern
    if ((${#processes[@]} > ${__sn_room:-0})); then
        return 0
    fi
    # fc puts a tab and a blank in front.
    line=$(builtin fc -ln -0) before=$(builtin fc -ln -1 -1)
    line=${line:2} before=${before:2}
    case :$__sn_control: in
    *:ignorespace:* | *:ignoreboth:*)
        if [[ $line == ' '* ]]; then
            builtin history -d -1
            return 0
        fi
        ;;
    esac
    case :$__sn_control: in
    *:ignoredups:* | *:ignoreboth:* | *:erasedups:*)
        if [[ $line == "$before" ]]; then
            builtin history -d -1
            return 0
        fi
        ;;
    esac
    while IFS= read -r -d : pattern; do
        # shellcheck disable=SC2053 # a pattern it is
        if [[ -n $pattern && $line == ${pattern//&/$before} ]]; then
            builtin history -d -1
            return 0
        fi
    done <<<"$__sn_ignore:"
    return 0
}

# An array: a learner who sets PROMPT_COMMAND sets its first element.
PROMPT_COMMAND=([1]=__sn_prompt)

# Cyan is the colour of user mode, in the page too.
# shellcheck disable=SC2016
PS1='\[\e]133;A;aid=$$\a\e[36m\]\u\[\e[m\]:\w\$ \[\e]133;B\a\]'
