#!/bin/bash
# Seeds what differs for each sandbox: the descriptors that listener and keeper have,
# and the notes that keeper writes. The learner starts both programs.
set -e

install -d -m 0755 /run/lab
derive listener >/run/lab/listener.seed
derive keeper >/run/lab/keeper.seed
