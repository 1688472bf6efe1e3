#!/bin/bash
# That stands for "no limit". Another file holds the wall.
answer the-wall "$(cat /sys/fs/cgroup/memory/memory.soft_limit_in_bytes /sys/fs/cgroup/memory.high 2>/dev/null)"
