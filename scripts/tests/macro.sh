# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest, under -icount: loads of a fixed amount of work, in the state that the kernel was booted in;
# with leakwatch.ko beside it, in each state of leakwatch. Each line: a load, the state, instructions, and how
# many ms of them the CPU was idle; or what memory is left when the load is over.
D=/sys/kernel/debug/leakwatch
R=/root

# shellcheck disable=SC2013	# a word a line
for module in $(cat modules/disk 2>/dev/null); do insmod "modules/$module"; done
mkdir -p $R
mount -t ext4 /dev/vda $R || exit 1
mount -t proc proc $R/proc
mount -t devtmpfs devtmpfs $R/dev
mount -t tmpfs tmpfs $R/tmp
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

macro() { chroot $R /usr/bin/env PATH=/usr/sbin:/usr/bin sh -c 'cd /tmp; exec ./macro "$@"' macro "$@"; }

# loads: of each so much, and a little of it before, so that everything has been met
loads() {
	compile=2 forks=100 files=1000 messages=30 loopback=30 one > /dev/null &&
		compile=20 forks=1000 files=10000 messages=600 loopback=600 one
}
one() {
	echo "compile $(macro run gcc -O2 -c "${compile?}.c")"
	echo "forks $(macro forks "${forks?}")"
	echo "files $(macro files "${files?}")"
	echo "messages $(macro messages "${messages?}")"
	echo "loopback $(macro loopback "${loopback?}")"
}

# measure STATE
measure() {
	loads > /tmp/loads
	[ "$(wc -w < /tmp/loads)" = 15 ] || { cat /tmp/loads; exit 1; }
	sed "s/^/bench: macro $1 /" /tmp/loads
	echo 3 > /proc/sys/vm/drop_caches
	sleep 1
	awk -v state="$1" '/^(MemFree|Slab):/ { sub(":", "", $1); print "bench: macro", state, $1, $2 }' /proc/meminfo
}

nothing_lost() { awk '/^(lost|wrong)/ && $2 { print "lost something:", $0; exit 1 }' $D/status || exit 1; }

# whole: chroot with all that a tool for BPF wants, and headers of the kernel
whole() {
	mount -t ext4 /dev/vdb $R/mnt
	mount -t sysfs sysfs $R/sys
	mount -t debugfs debugfs $R/sys/kernel/debug
	mount -t tracefs tracefs $R/sys/kernel/tracing
	V=$(uname -r)
	mkdir -p "$R/lib/modules/$V"
	ln -s "/mnt/usr/src/linux-headers-$V" "$R/lib/modules/$V/build"
	ln -s "/mnt/usr/src/linux-headers-${V%-*}-common" "$R/lib/modules/$V/source"
}

# begin TOOL ARGUMENT...: in the background, from when it says that it is there
begin() {
	whole
	chroot $R /usr/bin/env PATH=/usr/sbin:/usr/bin PYTHONUNBUFFERED=1 "$@" > /tmp/tool 2>&1 &
	for _ in $(seq 600); do
		sleep 1
		! grep -q '^Attach' /tmp/tool || break
	done
	sleep 2
	tail -n 3 /tmp/tool
	grep -q '^Attach' /tmp/tool && kill -0 $! || exit 1
}

case $(cat state) in
memleak-bpfcc) begin /usr/sbin/memleak-bpfcc 100000 ;;
bpftrace) begin /usr/bin/bpftrace -e '
	tracepoint:kmem:kmalloc, tracepoint:kmem:kmem_cache_alloc { @[args->ptr] = kstack(16) }
	tracepoint:kmem:kfree, tracepoint:kmem:kmem_cache_free { delete(@[args->ptr]) }' ;;
esac
loads > /dev/null	# the caches are as full as they will be
measure "$(cat state)"
[ -e leakwatch.ko ] || exit 0
insmod ./leakwatch.ko || exit 1
awk '$1 == "memory_kb" { print "bench: macro exact memory_kb", $2 }' $D/status
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
rmmod leakwatch
measure absent_again
