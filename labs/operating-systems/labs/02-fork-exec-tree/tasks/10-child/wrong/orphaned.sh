#!/bin/bash
# That `sleep` has lost its parent: PID 1 is in its place.
(sleep 300 &)
until pgrep -x sleep; do :; done
