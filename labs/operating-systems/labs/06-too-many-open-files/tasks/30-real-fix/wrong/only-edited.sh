#!/bin/bash
# The file is mended, but the running `leaky` has not read it since.
leaky leaky.conf & sleep 1
sed -i 's/^close-failed no/close-failed yes/' leaky.conf
