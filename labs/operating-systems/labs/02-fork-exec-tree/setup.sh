#!/bin/bash
# Seeds the exit status of careless' child, which the check of zombie works out again.
set -e

mkdir -p -m 0755 /run/lab
derive careless >/run/lab/careless.seed
