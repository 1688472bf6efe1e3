#!/bin/bash
# That process is not one of yours.
answer the-gap "$(ps -e -o pid= --sort=-vsz | head -1)"
