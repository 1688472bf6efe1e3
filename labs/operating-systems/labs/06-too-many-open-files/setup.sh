#!/bin/bash
# Seeds what leaky does in this sandbox, and puts leaky.conf into the learner's home: as
# the learner, since root may not write there.
set -e

install -d -m 0755 /run/lab
derive leaky >/run/lab/leaky.seed

setpriv --reuid "$SN_UID" --regid "$SN_UID" --clear-groups tee ~learner/leaky.conf >/dev/null <<'CONF'
# leaky.conf - read at the start, and again when SIGHUP arrives

# how many descriptors it may have
descriptors 1024

# how many requests come in a second
requests 20

# whether a request that fails closes its file (yes or no)
close-failed no
CONF
