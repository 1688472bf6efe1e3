#!/bin/bash
# The count stands because hardly a request comes in.
leaky leaky.conf & sleep 1
sed -i 's/^requests 20/requests 0/' leaky.conf; kill -HUP $!
