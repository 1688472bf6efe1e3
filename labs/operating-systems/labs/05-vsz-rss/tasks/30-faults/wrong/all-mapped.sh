#!/bin/bash
# That is how many pages are mapped. Not all of them were touched.
answer faults $((64 * 1024 * 1024 / $(getconf PAGESIZE)))
