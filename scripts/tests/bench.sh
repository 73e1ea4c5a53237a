# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest, under -icount: the loops of kunit/bench in each state of leakwatch.
D=/sys/kernel/debug/leakwatch

# measure STATE [FILL]
measure() {
	insmod ./bench.ko fill="${2:-0}" || exit 1
	sed "s/^/bench: $1 /" /sys/module/bench/parameters/result
	rmmod bench
}

# Fills of a table of 65536, the least for 1 GiB
half=32768 most=52429
measure absent
measure absent_50 $half
measure absent_80 $most
insmod ./leakwatch.ko objects=65536 || exit 1
echo stop > $D/control
measure stopped
echo "stacks off" > $D/control
for state in stacks_off stacks_all; do
	echo "${state%_*} ${state#*_}" > $D/control
	for fill in 0 $half $most; do
		echo stop > $D/control
		echo start > $D/control
		case $fill in
		0) measure $state ;;
		"$half") measure ${state}_50 $half ;;
		"$most") measure ${state}_80 $most ;;
		esac
		awk '/^lost/ && $2 { print "lost something:", $0; exit 1 }' $D/status || exit 1
	done
done
echo "mode sampled" > $D/control
for state in off all; do
	echo "stacks $state" > $D/control
	echo clear > $D/control
	measure sampled_$state
done
awk '/^lost/ && $2 { print "lost something:", $0; exit 1 }' $D/status || exit 1
rmmod leakwatch

# Bytes an object at 80 % load: the table as it is, over what is in it
insmod ./leakwatch.ko objects=65536 stacks=off || exit 1
insmod ./bench.ko fill=$most || exit 1
awk '$1 == "objects_kb" { kb = $2 } $1 == "objects_live" { live = $2 } $1 == "lost_live_full" { lost = $2 }
     END { printf "bench: read bytes_an_object_at_80_percent_x100 %d lost_%d\n", kb * 102400 / live, lost }' $D/status
rmmod bench
rmmod leakwatch

# The time of reading top with 500,000 live objects, in virtual ns: one instruction is one
insmod ./leakwatch.ko objects=1048576 || exit 1
insmod ./bench.ko fill=500000 || exit 1
for file in top slab/sites slab/stacks page/sites status; do
	from=$(awk '{ print $1 * 100 }' /proc/uptime)
	cat $D/$file > /dev/null
	to=$(awk '{ print $1 * 100 }' /proc/uptime)
	echo "bench: read $file $(((to - from) * 10)) ms_of_virtual_time"
done
rmmod bench
rmmod leakwatch
