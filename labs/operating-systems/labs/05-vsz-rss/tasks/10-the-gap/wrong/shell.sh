#!/bin/bash
# That is one of your processes. Another one has a wider gap.
answer the-gap $$
