#!/bin/bash
# That path has the right form, but `mystery` asks for another one here.
answer secret-path /etc/abcdefgh.conf
