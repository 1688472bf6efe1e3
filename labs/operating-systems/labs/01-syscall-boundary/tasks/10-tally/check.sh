#!/bin/bash
fail "Nothing seen yet."
