# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest, under -icount: a cycle of getting and closing a buffer of a page, in each state of
# leakwatch.
D=/sys/kernel/debug/leakwatch

# measure STATE
measure() { echo "bench: $1 $(./buffers heap=/dev/dma_heap/system cost=3000)"; }

measure absent
insmod ./leakwatch.ko classes=buffer || exit 1
measure buffer
cat $D/status
rmmod leakwatch
insmod ./leakwatch.ko || exit 1
measure exact
echo "stacks off" > $D/control
measure exact_stacks_off
echo "stacks all" > $D/control
echo "mode sampled" > $D/control
measure sampled
awk '/^lost/ && $2 { print "lost something:", $0; exit 1 }' $D/status || exit 1
echo stop > $D/control
measure stopped
