#!/bin/bash
# That is not a PID.
answer zombie "the defunct one"
