#!/bin/bash
# Another program died of SIGSEGV, not `touch-address`.
bash -c 'kill -SEGV $$'
