#!/bin/bash
# That is what your sandbox uses now, not what it may use.
answer the-wall "$(cat /sys/fs/cgroup/memory/memory.usage_in_bytes /sys/fs/cgroup/memory.current 2>/dev/null)"
