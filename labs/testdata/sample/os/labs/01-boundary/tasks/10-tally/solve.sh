strace -c ls /
