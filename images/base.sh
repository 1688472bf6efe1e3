#!/bin/bash
# Turns a system with the packages of packages.txt into the base image.
# Runs as root inside that system, in both ways to build it.
set -euo pipefail

# No program may lend its owner's rights: no-new-privileges forbids it anyway.
find / -xdev -type f -perm /6000 -exec chmod u-s,g-s {} +

# The sandbox has no network; where its packages came from is nobody's business.
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/auth.conf* \
    /etc/apt/apt.conf.d/99mmdebstrap /etc/dpkg/dpkg.cfg.d/99mmdebstrap
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old \
    /var/lib/dpkg/*-old /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow-
find /var/log -type f -delete

# The text is English and the locale is C.UTF-8: translations are weight. Licences stay.
find /usr/share/locale -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} +
find /usr/share/man -mindepth 1 -maxdepth 1 -type d ! -name 'man[0-9]*' -exec rm -rf {} +
find /usr/share/doc -type f ! -name copyright -delete
find /usr/share/doc -type l ! -name copyright ! -xtype d -delete
find /usr/share/doc -type d -empty -delete
rm -rf /usr/share/info /usr/share/lintian

# The index makes apropos work and keeps man from wanting to write one.
mandb --create --quiet
chmod -R a+rX /var/cache/man

# vim-tiny calls itself vi.
ln -sf /usr/bin/vim.tiny /usr/local/bin/vim

: >/etc/machine-id
# /tmp is left to who made the system: mmdebstrap keeps apt's settings there until its
# end, and without them its last apt-get would work on the host.
