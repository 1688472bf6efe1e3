#!/bin/bash
# At least one of the five lies somewhere else. Another `resident` asks anew.
resident ask
answer whose-page "text heap stack library none"
