#!/bin/bash
# This `leaky` has not leaked: it began with mended settings.
leaky leaky.conf & sleep 1
sed -i 's/^close-failed no/close-failed yes/' leaky.conf
kill $!; leaky leaky.conf & sleep 1
