#!/bin/bash
# That `sleep` ran in the foreground: your shell waited until it had ended.
sleep 1
