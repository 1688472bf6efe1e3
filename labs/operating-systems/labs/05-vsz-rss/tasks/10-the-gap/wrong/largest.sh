#!/bin/bash
# That process has the largest VSZ, but also more of it in memory.
answer the-gap "$(ps -u learner -o pid= --sort=-vsz | head -1)"
