#!/bin/bash
# No `resident` runs now, so there is no map to hold your answer against.
answer whose-page "heap heap heap heap heap"
