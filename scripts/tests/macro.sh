# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest, under -icount: loads of a fixed amount of work, in the state that the kernel was booted in, or, as
# the file "state" says, in each state of leakwatch or beside a tool for BPF, in turns with absent, as many rounds
# as "rounds" says, and those of the loads that "loads" names. Each line: the state, a load, instructions, how many of these the CPU was idle, which round;
# or a figure of memory.
D=/sys/kernel/debug/leakwatch
# shellcheck source=scripts/tests/bench-root.sh
. ./bench-root.sh
state=$(cat state) rounds=$(cat rounds)

memory() { awk -v state="$1" '/^(MemFree|Slab):/ { sub(":", "", $1); print "bench: macro", state, $1 "_" when, $2, "KB" }' \
	when="$2" /proc/meminfo; }
memory "$state" at_boot

root
cp ./macro $R/tmp/macro
ip link set lo up
# c FUNCTIONS: so many of two kinds, for the compiler
c() {
	echo '#include <stdio.h>'
	echo '#include <stdlib.h>'
	echo '#include <string.h>'
	i=0
	while [ $i -lt "$1" ]; do
		echo "static int f$i(const char *s, int n) { int i, k = 0; for (i = 0; i < n; i++) if (s[i] == $i || strchr(s + i, n % 9 + 48)) k += i * $i; else k ^= s[i] << (k & 7); return k; }"
		echo "int g$i(char **v, int n) { int i; for (i = 0; i < n; i++) printf(\"%d %s\\n\", f$i(v[i], strlen(v[i])), getenv(v[i])); return f$i(v[0], n); }"
		i=$((i + 1))
	done
}
c 20 > $R/tmp/20.c
c 2 > $R/tmp/2.c
# A module and some of another's files, built with the kernel's own makefiles; in a tree of its own, from nothing
# each time
objects=
for file in live site path walk door cache pages stats; do objects="$objects module/track/$file.o"; done
if [ -n "$headers" ]; then
	mkdir $R/tmp/tree
	tar -C $R/tmp/tree -xf tree.tar
	cat > $R/tmp/kbuild <<-END
		make -C /$headers M=/tmp/tree/kunit/leaky modules || exit
		exec make -C /$headers M=/tmp/tree $objects
	END
fi
kbuild_clean() { find $R/tmp/tree -type f ! -name '*.[ch]' ! -name 'Kbuild*' -exec rm {} +; }
kbuild_done() { for file in kunit/leaky/leaky.ko $objects; do [ -e "$R/tmp/tree/$file" ] || return; done; }

macro() { inside sh -c 'cd /tmp; exec ./macro "$@"' macro "$@"; }

# one LOAD AMOUNT
one() {
	case $1 in
	kbuild)
		kbuild_clean
		set -- kbuild run sh kbuild ;;
	compile) set -- compile run gcc -O2 -c "$2.c" ;;
	*) set -- "$1" "$1" "$2" ;;
	esac
	name=$1
	shift
	echo "$name $(macro "$@")"
	[ "$name" != kbuild ] || kbuild_done || echo "and not all was built"
}

# events: how many leakwatch was told of
events() { awk '$1 == "HOOK" { on = 1; next } on { sum += $5 } END { print sum + 0 }' $D/status; }

# run LOAD=AMOUNT...: those that are wanted, into /tmp/loads
run() {
	: > /tmp/events
	for load; do
		grep -qw "${load%=*}" loads || continue
		[ ! -e $D/status ] || from=$(events)
		one "${load%=*}" "${load#*=}"
		[ ! -e $D/status ] || echo "${load%=*} $(($(events) - from)) events" >> /tmp/events
	done > /tmp/loads
	awk '{ bad += NF != 3 } END { exit bad || !NR }' /tmp/loads || { cat /tmp/loads; exit 1; }
}

# A little of each, so that everything has been met, and of each so much
warm() { run kbuild=1 compile=2 forks=100 files=1000 messages=30 loopback=30; }
loads() { run kbuild=1 compile=20 forks=1000 files=10000 messages=600 loopback=600; }

# measure STATE
measure() {
	loads
	sed "s/^/bench: macro $1 /; s/\$/ $round/" /tmp/loads
	[ "$1" != exact ] || sed "s/^/bench: macro $1 /" /tmp/events
}

# rest STATE: what memory is left when nothing runs. Files are read anew then: warm
rest() {
	echo 3 > /proc/sys/vm/drop_caches
	sleep 1
	memory "$1" after
}

nothing_lost() { awk '/^(lost|wrong)/ && $2 { print "lost something:", $0; exit 1 }' $D/status || exit 1; }

# leakwatch: with what it met in the round before forgotten
leakwatch() {
	insmod ./leakwatch.ko || exit 1
	warm
	measure exact
	nothing_lost
	echo "stacks off" > $D/control
	measure exact_stacks_off
	nothing_lost
	echo "stacks all" > $D/control
	echo "mode sampled" > $D/control
	measure sampled
	nothing_lost
	echo stop > $D/control
	measure stopped
	awk '$1 == "memory_kb" { print "bench: macro leakwatch memory_kb", $2, "KB" }' $D/status
	rmmod leakwatch
}

tool() {
	tool_begin "$state"
	warm
	measure "$state"
	[ "$round" != "$rounds" ] || rest "$state"
	tool_end
}

round=0
loads	# the caches are as full as they will be
for round in $(seq "$rounds"); do
	case $state in
	leakwatch)
		measure absent
		leakwatch ;;
	memleak-bpfcc|bpftrace)
		measure absent
		[ "$round" != "$rounds" ] || rest absent
		tool ;;
	*) measure "$state" ;;
	esac
done
case $state in
leakwatch)
	round=$((rounds + 1))
	measure absent
	rest absent ;;
memleak-bpfcc|bpftrace) rest absent_again ;;
*) rest "$state" ;;
esac
