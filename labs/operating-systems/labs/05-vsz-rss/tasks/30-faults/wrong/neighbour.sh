#!/bin/bash
# That is not by how much the count moves in this sandbox.
answer faults 1999
