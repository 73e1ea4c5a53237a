# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in User Mode Linux: the loops of kunit/bench in each state, in nanoseconds. Others run beside, so all
# states take turns, and of TIMES the least counts; behind it is the median. Stacks are not measured: its walk
# is another.
D=/sys/kernel/debug/leakwatch
TIMES=15
PAIRS=151
half=65536	# of the least table that there can be
# The first file system is ramfs here: it would be pages of the kernel
mount -t tmpfs none /tmp || exit 1

# measure STATE [PARAMETER]
measure() {
	# shellcheck disable=SC2086 # a word or none
	insmod ./bench.ko fill=$half $2 || exit 1
	sed "s/^/$1 /" /sys/module/bench/parameters/result
	rmmod bench
}

# watch STATE SETTING...: with empty tables
watch() {
	local state="$1" setting
	shift
	for setting; do echo "$setting" > $D/control; done
	echo clear > $D/control
	echo start > $D/control
	measure "$state"
	awk '/^(lost|wrong)/ && $2 { print "lost something:", $0; exit 1 }' $D/status || exit 1
	echo stop > $D/control
}

P=/proc/sys/vm/mem_profiling
for _ in $(seq $TIMES); do
	echo 0 > $P
	measure absent
	measure trivial_probes probes=1
	echo 1 > $P
	measure mem_profiling
	echo 0 > $P
	insmod ./leakwatch.ko objects=131072 || exit 1
	echo stop > $D/control
	measure stopped
	watch stacks_off "mode exact" "stacks off"
	watch sampled_off "mode sampled" "stacks off"
	rmmod leakwatch
done >/tmp/all || { tail -n 3 /tmp/all; exit 1; }
sort -k 1,2 -k 3n /tmp/all | awk '
	function show() {
		if (n) print "bench:", key, of[1], of[int((n + 1) / 2)]
		n = 0
	}
	$1 " " $2 != key { show(); key = $1 " " $2 }
	{ of[++n] = $3 }
	END { show() }'

# load TIMES: the ns of the quickest
load() { (cd /tmp && /lw/macro least "$1" "$name" "$amount") | cut -d ' ' -f 1; }

# with SETTING...: the time of the load beside leakwatch, when it has met all
with() {
	insmod ./leakwatch.ko objects=131072 || exit 1
	for setting; do echo "$setting" > $D/control; done
	load 1 > /dev/null
	load 10
	awk '/^(lost|wrong)/ && $2 { print "lost something:", $0 }' $D/status
	rmmod leakwatch
}
without() {
	load 1 > /dev/null
	load 10
}

# pairs STATE WITH SETTING...: A B, B A, A B ..., of the load $name
pairs() {
	local state="$1"
	shift
	for i in $(seq $PAIRS); do
		if [ $((i % 2)) = 1 ]; then
			a=$(without) b=$("$@")
		else
			b=$("$@") a=$(without)
		fi
		echo "$a $b"
	done > /tmp/pairs
	awk 'NF != 2 || $1 <= 0 || $2 <= 0 { print; exit 1 }' /tmp/pairs || exit 1
	awk '
		NR == 1 || $1 < a { a = $1 }
		NR == 1 || $2 < b { b = $2 }
		{ print $2 / $1 }
		END { print "least", b / a }' /tmp/pairs | sort -n | awk -v name="$state $name" '
		$1 == "least" { least = $2; next }
		{ of[++n] = $1 }
		END { printf "bench: load %s %.4f %.4f %.4f %.4f\n", name, least, of[int((n + 1) / 2)],
			of[int((n + 3) / 4)], of[int((3 * n + 1) / 4)] }'
}

for load in copies=64 files=200; do
	name=${load%=*} amount=${load#*=}
	pairs absent without	# what a ratio of nothing to nothing is here
	pairs stopped with stop
	pairs sampled with "mode sampled"
	pairs stacks_off with "stacks off"
done
