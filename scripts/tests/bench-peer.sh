# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest, under -icount, with one of the kernel's own instruments on, or with a tool for BPF that the file
# "state" names: the same loops.
if [ -e state ]; then
	state=$(cat state)
	# shellcheck source=scripts/tests/bench-root.sh
	. ./bench-root.sh
	root
	tool_begin "$state"
else
	state=$(grep -o -E 'slub_debug|page_owner|mem_profiling' /proc/cmdline)
fi
insmod ./bench.ko share=8 || exit 1
sed "s/^/bench: $state /" /sys/module/bench/parameters/result
rmmod bench
[ ! -e state ] || tool_end
