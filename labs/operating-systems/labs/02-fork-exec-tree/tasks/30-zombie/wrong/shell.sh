#!/bin/bash
# That process lives. A zombie has ended, and its state is Z.
answer zombie $$
