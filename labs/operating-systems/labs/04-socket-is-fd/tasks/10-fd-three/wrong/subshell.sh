#!/bin/bash
# Another process has it as descriptor 3, not the shell of this terminal.
(exec 3</etc/hostname; sleep 60) & sleep 0.3
