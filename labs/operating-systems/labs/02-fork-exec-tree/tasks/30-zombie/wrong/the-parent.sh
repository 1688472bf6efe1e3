#!/bin/bash
# That is `careless` itself, and it lives. The zombie is its child.
careless &
until pgrep -r Z careless; do :; done
answer zombie "$(pgrep -r S careless)"
