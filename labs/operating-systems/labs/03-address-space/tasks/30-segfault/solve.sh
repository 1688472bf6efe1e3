#!/bin/bash
touch-address 600000000000
