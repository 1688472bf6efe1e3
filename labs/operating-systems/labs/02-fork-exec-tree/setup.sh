#!/bin/bash
# Seeds the exit status of careless' child, which the check of zombie works out again.
set -e

install -d -m 0755 /run/lab
derive careless >/run/lab/careless.seed
