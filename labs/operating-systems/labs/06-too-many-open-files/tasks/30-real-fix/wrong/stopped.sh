#!/bin/bash
# `leaky` is stopped, and so is the service.
leaky leaky.conf & sleep 1
kill -STOP $!; sleep 0.3
