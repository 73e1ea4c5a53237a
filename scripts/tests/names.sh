# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# What tests in a guest call things by: leakwatch's files, the sample driver's, and what is done to them.
# Sourced.
# shellcheck disable=SC2034	# what is set is for those who do

D=/sys/kernel/debug/leakwatch
T=/sys/kernel/debug/leaky

# Where the kernel checks itself it is ten times as slow: some is left to the others.
short=$([ ! -e /sys/kernel/debug/kmemleak ] || echo short)

note() { sed 's/^/# /'; }
quiet() { "$@" >/dev/null 2>&1; }
value() { awk -v name="$1" '$1 == name { print $2 }' $D/status; }
# The module, with what it is to be given in any case.
parameters=$(cat ./parameters 2>/dev/null)
# shellcheck disable=SC2086	# they are words
load() { insmod ./leakwatch.ko stacks=all $parameters "$@"; }
logged() { dmesg | grep -q "$1"; }
writes() { echo "$1" > "$D/${2:-control}"; } 2>/dev/null
