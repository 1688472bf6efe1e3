#!/bin/bash
# That is not how often `drip` calls `write` in this sandbox.
answer batching 299
