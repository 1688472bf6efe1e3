#!/bin/bash
# Several processes have that name. A PID names one of them.
answer the-gap promise
