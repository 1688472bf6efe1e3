#!/bin/bash
# Descriptor 3 leads to another file with the same text.
cp /etc/hostname .
exec 3<hostname
