#!/bin/bash
# Seeds two values that differ for each sandbox: the path that mystery asks for and
# the number of writes that drip makes. The checks derive them again.
set -e

install -d -m 0755 /run/lab
derive mystery >/run/lab/mystery.seed
derive drip >/run/lab/drip.seed
