#!/bin/bash
# Runs as root before the learner is let in, and again after each reset. What a learner
# must not know stays out of /run/lab: everybody can read there.
set -e

install -d -m 0755 /run/lab
# `derive NAME` prints 64 hex digits that belong to this sandbox and that name; check.sh
# gets the same ones. So each learner has an answer of his own.
derive first >/run/lab/first.seed
