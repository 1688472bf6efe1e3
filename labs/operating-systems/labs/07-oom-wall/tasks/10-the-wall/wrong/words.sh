#!/bin/bash
# That is not a size.
answer the-wall "a quarter of a gigabyte"
