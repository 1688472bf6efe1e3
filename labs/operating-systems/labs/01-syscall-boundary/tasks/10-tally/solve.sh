#!/bin/bash
strace -c ls /
