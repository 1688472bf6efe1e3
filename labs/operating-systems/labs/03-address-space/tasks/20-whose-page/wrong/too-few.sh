#!/bin/bash
# That is not one word for each of the five addresses.
resident ask
answer whose-page "heap"
