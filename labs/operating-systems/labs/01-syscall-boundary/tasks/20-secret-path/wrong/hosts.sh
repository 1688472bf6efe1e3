#!/bin/bash
# That is not the path that `mystery` asks for in this sandbox.
answer secret-path /etc/hosts
