#!/bin/bash
# That is not a full path.
answer secret-path "I do not know"
