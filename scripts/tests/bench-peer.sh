# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest, under -icount, with one of the kernel's own instruments on: the same loops.
state=$(grep -o -E 'slub_debug|page_owner|mem_profiling' /proc/cmdline)
insmod ./bench.ko || exit 1
sed "s/^/bench: $state /" /sys/module/bench/parameters/result
rmmod bench
