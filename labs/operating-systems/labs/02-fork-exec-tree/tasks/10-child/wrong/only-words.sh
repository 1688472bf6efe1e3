#!/bin/bash
# The line names `sleep`, but no process of that name lives.
echo sleep 300 "&"
