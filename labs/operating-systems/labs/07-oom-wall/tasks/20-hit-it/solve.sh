#!/bin/bash
hog; echo "status $?"
