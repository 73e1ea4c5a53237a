# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest: what a person would type.
D=/sys/kernel/debug/leakwatch

type() { echo; echo "board# $*"; eval "$*"; }

echo "demo: begin"
type uname -mr
type insmod leakwatch.ko
echo "(a driver leaks 200 objects a second, among 10,000 that it frees)"
insmod ./leaky.ko rate=200 count=0 churn=10000 innocent=100
type "echo interval 1 > $D/control"	# a sample a second, not in ten: a verdict in half a minute
sleep 2
type "echo now > $D/mark"
echo "(half a minute)"
sleep 30
type "cat $D/triage"
type "head -n 8 $D/top | cut -c 1-150"
type "head -n 18 $D/slab/stacks"
type "head -n 6 $D/slab/caches"
type "grep -E '^(NAME|objects|pages|sites|memory|lost|missed)' $D/status"
echo 1 > /sys/kernel/debug/leaky/stop
echo
echo "(what the driver says of itself, and the row)"
type cat /sys/kernel/debug/leaky/truth
type "grep -E 'RANK|leaky' $D/slab/sites | cut -c 1-170"
type rmmod leaky
type "dmesg | grep 'leakwatch: module' | cut -d ']' -f 2"
type "grep -E 'RANK|leaky' $D/top | cut -c 1-150"
type rmmod leakwatch
echo "demo: end"
