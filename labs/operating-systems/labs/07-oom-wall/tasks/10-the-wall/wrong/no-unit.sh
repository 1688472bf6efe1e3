#!/bin/bash
# A number without a unit counts as bytes, and those are few.
answer the-wall 256
