#!/bin/bash
# One of your words is none of the five regions.
resident ask
answer whose-page "memory heap stack library none"
