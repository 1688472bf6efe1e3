#!/bin/bash
# Your shell has the file open, but not as descriptor 3.
# shellcheck disable=SC2034
exec {fd}</etc/hostname
