# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest, under -icount: the loops of kunit/bench in each state of leakwatch. With a file
# "short" beside it, only what has a limit (bench.limits).
D=/sys/kernel/debug/leakwatch

# measure STATE [FILL [PARAMETER]]
measure() {
	# shellcheck disable=SC2086 # a word or none
	insmod ./bench.ko fill="${2:-0}" $3 || exit 1
	sed "s/^/bench: $1 /" /sys/module/bench/parameters/result
	rmmod bench
}

lossless() {
	awk '/^(lost|wrong)/ && $2 { print "lost something:", $0; exit 1 }' $D/status || exit 1
}

# again SETTING...: empty tables, that setting
again() {
	echo stop > $D/control
	echo "$@" > $D/control
	echo start > $D/control
}

# read_all LIVE FILE...: what reading each takes with so many live objects, the start of cat included, in us of virtual time:
# one instruction is one ns. The least of five.
now() { sed -n 's/^now at \([0-9]*\).*/\1/p' /proc/timer_list; }
read_all() {
	live=$1
	shift
	insmod ./leakwatch.ko objects=2097152 || exit 1
	insmod ./bench.ko fill="$live" || exit 1
	awk -v live="$live" '$1 == "objects_live" && $2 < live { print "not so many:", $0; exit 1 }' $D/status || exit 1
	for file; do
		[ -e "$D/$file" ] || continue
		least=
		for _ in 1 2 3 4 5; do
			from=$(now)
			cat "$D/$file" > /dev/null
			took=$(($(now) - from))
			[ $took -ge "${least:-$((took + 1))}" ] || least=$took
		done
		echo "bench: read $file,${live}_live $((least / 1000)) us_of_virtual_time"
	done
	rmmod bench
	rmmod leakwatch
}

# filled STATE FILL SETTING: what a pair costs beside others depends on their addresses: so four times, with those that
# the allocator has then
filled() {
	for _ in 1 2 3 4; do
		# shellcheck disable=SC2086 # two words
		again $3
		measure "$1" "$2"
		lossless
	done
}

# Fills of a table of 65536, the least for 1 GiB, but for the 1024 that the loop itself keeps
half=$((32768 - 1024)) most=$((52429 - 1024))
measure absent
measure absent_50 $half
insmod ./leakwatch.ko objects=65536 grow=1 || exit 1
echo stop > $D/control
measure stopped
again stacks off
measure stacks_off
filled stacks_off_50 $half "stacks off"
filled stacks_all_50 $half "stacks all"
echo "mode sampled" > $D/control
echo clear > $D/control
measure sampled_all
lossless
if [ -e short ]; then
	rmmod leakwatch
	read_all 1000000 top
	exit 0
fi

again stacks off
measure sampled_off
echo "mode exact" > $D/control
filled stacks_off_80 $most "stacks off"
again stacks all
measure stacks_all
filled stacks_all_80 $most "stacks all"
rmmod leakwatch
measure absent_80 $most
measure trivial_probes 0 probes=1

# The allocators hooked at their functions
insmod ./leakwatch.ko objects=65536 grow=1 stacks=off backend=kprobes || exit 1
measure kprobes_stacks_off
lossless
again stacks all
measure kprobes_stacks_all
lossless
rmmod leakwatch

# Bytes an object at 80 % load: the table as it is, over what is in it
insmod ./leakwatch.ko objects=65536 grow=1 stacks=off || exit 1
insmod ./bench.ko fill=$most || exit 1
awk '$1 == "objects_kb" { kb = $2 } $1 == "objects_live" { live = $2 } $1 == "lost_live_full" { lost = $2 }
     END { printf "bench: read bytes_an_object_at_80_percent_x100 %d lost_%d\n", kb * 102400 / live, lost }' $D/status
rmmod bench
rmmod leakwatch

for live in 1000 100000 1000000; do
	read_all $live triage top slab/sites slab/caches slab/stacks slab/live page/sites page/stacks page/live page/lost \
		user/processes meminfo census history folded metrics status
done
