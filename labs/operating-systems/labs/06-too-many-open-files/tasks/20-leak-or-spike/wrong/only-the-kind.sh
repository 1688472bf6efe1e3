#!/bin/bash
# That is not the form: two numbers, and `leak` or `spike`.
leaky & sleep 1
answer leak-or-spike leak
