#!/bin/bash
# `leaky` read its settings again, and leaks as it did.
leaky leaky.conf & sleep 1
kill -HUP $!
