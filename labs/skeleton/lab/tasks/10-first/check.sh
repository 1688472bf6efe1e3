#!/bin/bash
# Passed: say here what the kernel shows when the task is done.
#
# Runs as root in the sandbox, behind the words of prelude.sh: ran, typed, ended,
# answered, proc, fd, maps, cgroup, waitfor, derive. End by `pass MESSAGE` or
# `fail MESSAGE`. Any exit status but 0 and 1 means that the check itself broke.

expected 'what is there when the task is done'

# Replace this by a look at the sandbox. Say `attempt` only once you have seen that the
# learner tried: after a stray `ls` the task stays open.
if ran no-such-program; then
    attempt
    pass 'Passed. Say the fact that the kernel shows now.'
fi

observed 'what is there now, with values of this sandbox'
evidence 'ls -l /run/lab'
hint 'A direction to look into, without the command.'
fail 'Say what is the case, in 20 words at most.'
