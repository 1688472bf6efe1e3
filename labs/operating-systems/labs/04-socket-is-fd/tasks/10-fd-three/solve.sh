#!/bin/bash
exec 3</etc/hostname
