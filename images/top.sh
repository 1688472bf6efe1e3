#!/bin/bash
# Lays the sandbox over the base image: the lab programs, files for /etc and the guest.
# Runs as root inside the base image, with the build context as its working folder.
set -euo pipefail

echo "compile the lab programs"
for source in programs/*.c; do
    program=$(basename "$source" .c)
    gcc -O2 -Wall -Wextra -Werror -s -o "/usr/local/bin/$program" "$source"
done

echo "install the guest"
cp -r --no-preserve=mode,ownership files/. /etc/
install -D -m 0755 guest /usr/lib/sysnerd/guest
ln -sf /usr/lib/sysnerd/guest /usr/local/bin/answer
mkdir -p /home/learner

# Last, since installing needs real ones: the guest writes these at its first
# hello, when it knows the learner's uid.
ln -sf /run/passwd /etc/passwd
ln -sf /run/group /etc/group
