#!/bin/bash
# `sleep` has a parent below your shell, and that one still lives.
(sleep 300; true) &
until pgrep -x sleep; do :; done
