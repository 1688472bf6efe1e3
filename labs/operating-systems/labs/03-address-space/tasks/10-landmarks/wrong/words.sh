#!/bin/bash
# That is not an address.
resident
answer landmarks "the end of the heap"
