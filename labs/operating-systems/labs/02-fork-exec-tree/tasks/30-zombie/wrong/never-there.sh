#!/bin/bash
# No child of `careless` had that PID.
answer zombie 999999
