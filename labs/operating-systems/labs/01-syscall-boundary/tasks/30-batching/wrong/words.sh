#!/bin/bash
# That is not a number of calls.
answer batching many
