#!/bin/bash
# No `leaky` is left: the leak has ended, and the service too.
leaky leaky.conf & sleep 1
kill $!
