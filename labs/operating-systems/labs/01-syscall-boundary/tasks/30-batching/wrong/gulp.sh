#!/bin/bash
# One call is what `gulp` makes.
answer batching 1
