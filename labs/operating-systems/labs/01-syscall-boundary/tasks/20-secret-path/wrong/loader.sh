#!/bin/bash
# That file belongs to the start of every program: the loader opens it.
answer secret-path /etc/ld.so.cache
