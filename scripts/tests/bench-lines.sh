# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest, under the plugin lines.c: kunit/bench/crowd.c on one to four CPUs, in each state of leakwatch.
# A line for each that the plugin has counted, in the same order.
D=/sys/kernel/debug/leakwatch

# measure STATE [PARAMETER]
measure() {
	for pages in 0 1; do
		for one_site in 0 1; do
			for cpus in 1 2 3 4; do
				# shellcheck disable=SC2086 # a word or none
				insmod ./crowd.ko $2 cpus=$cpus one_site=$one_site pages=$pages || exit 1
				rmmod crowd
				echo "lines: $1 $pages $one_site $cpus"
			done
		done
	done
	[ ! -e $D/status ] || awk '/^(lost|wrong)/ && $2 { print "lost something:", $0; exit 1 }' $D/status || exit 1
}

measure absent
measure one_count one_count=1	# must be seen
insmod ./leakwatch.ko || exit 1
echo stop > $D/control
measure stopped
echo "stacks off" > $D/control
echo start > $D/control
measure stacks_off
echo "stacks all" > $D/control
measure stacks_all
echo "mode sampled" > $D/control
measure sampled
rmmod leakwatch
