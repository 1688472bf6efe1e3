#!/bin/bash
# You raised the limit; the leak goes on.
leaky leaky.conf & sleep 1
sed -i 's/^descriptors 1024/descriptors 4096/' leaky.conf; kill -HUP $!
