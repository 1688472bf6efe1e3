#!/bin/bash
# A new `leaky` began with few descriptors, and leaks like the one before.
leaky leaky.conf & sleep 1
kill $!; leaky leaky.conf & sleep 1
