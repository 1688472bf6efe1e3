#!/bin/bash
# Descriptor 3 of your shell was closed again. It counts while it is open.
exec 3</etc/hostname
exec 3<&-
