#!/bin/bash
# That `touch-address` read nothing: it did not get an address.
touch-address
