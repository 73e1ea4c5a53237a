#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# truth-load.sh SECONDS: in the guest, in the root of real programs (scripts/root), as process 1 of a namespace
# of its own, so that nothing outlives it: everything that allocates in ways of its own, all at once.
# Each kind of load counts its rounds; the counts are printed at the end.
seconds=$1
rounds=/tmp/rounds
mkdir -p $rounds /tmp/work
cd /tmp/work || exit

# loop NAME COMMAND...: over and over until the time is up; a round that fails is none.
loop() {
	local name=$1 n=0
	shift
	: >"$rounds/$name"
	while :; do
		if "$@" >/dev/null 2>"$rounds/$name.err" </dev/null; then
			n=$((n + 1))
			echo $n >"$rounds/$name"
		else
			sleep 0.2
		fi
	done
}

# Stressors take turns, two at a time: all at once would leave the others nothing of the CPUs.
turn() {
	local n
	n=$(cat turn 2>/dev/null || echo 0)
	echo $((n + 2)) >turn
	shift $((n % $#))
	# shellcheck disable=SC2086	# words
	stress-ng --timeout 1 --temp-path . --${1/:/ --} ${2:+--${2/:/ --}}
}
processes() {
	turn "fork 1" "clone 1" "vfork 1" "sock 1" "sockpair 1" "pipe 1" "fifo 1" "futex 1" "sem 1" "msg 1" "mq 1" "shm 1" \
		"timerfd 1" "eventfd 1" "epoll 1" "inotify 1" "kill 1" "sigq 1"
}
files() {
	turn "dentry 1" "dir 1" "link 1" "rename 1" "xattr 1" "fallocate 1:fallocate-bytes 8m" "splice 1" \
		"sendfile 1:sendfile-size 1m" "memfd 1:memfd-bytes 16m" "mmap 1:mmap-bytes 16m" "mremap 1" "aio 1"
}
disk() { fio --name=one --directory=/tmp/work --rw=randrw --bs=8k --size=16m --fsync=32 --time_based --runtime=2; }
network() {
	iperf3 -s -1 -p 5201 -D && sleep 0.3 && iperf3 -c 127.0.0.1 -p 5201 -t 1 -P 3 && iperf3 -s -1 -p 5202 -D &&
		sleep 0.3 && iperf3 -c 127.0.0.1 -p 5202 -u -b 50M -t 1
}
repository() (
	rm -rf repository && mkdir repository && cd repository && git init -q . && cp -r /usr/include/linux/netfilter . &&
		git add . && git -c user.name=a -c user.email=a@b commit -q -m one && git gc -q
)
compiler() { printf '#include <stdio.h>\n#include <unistd.h>\nint main(void){return puts("a")<0;}\n' >a.c && gcc -O2 -o a a.c && ./a; }
# shellcheck disable=SC2016	# the inner shell expands it
namespaces() {
	unshare -mpnuif --kill-child sh -c 'mount -t tmpfs none /mnt && mkdir -p /mnt/{a,b,c} /mnt/d && ip link set lo up &&
		{ mount -t overlay -o lowerdir=/usr,upperdir=/mnt/a,workdir=/mnt/b none /mnt/c || mkdir /mnt/u /mnt/w /mnt/o &&
		mount -t overlay -o lowerdir=/usr,upperdir=/mnt/u,workdir=/mnt/w none /mnt/o; }; find /mnt | head -n 500'
}
# What the kernel has as modules comes and goes.
modules() {
	local module
	for module in dummy veth; do
		[ ! -s "/lw/modules/$module" ] || sed 's#^#/lw/modules/#' "/lw/modules/$module" | xargs -n 1 insmod || return
		ip link add "name$module" type $module && ip link set "name$module" up
		ip link del "name$module"
		[ ! -s "/lw/modules/$module" ] || rmmod $module || return
	done
}
memory() { stress-ng --timeout 2 --vm 2 --vm-bytes 45% --vm-madvise hugepage --temp-path /tmp/work; }
compaction() {
	echo 1 >/proc/sys/vm/compact_memory && sleep 1 && echo 3 >/proc/sys/vm/drop_caches && sleep 1
}
cpus() {
	local cpu
	cpu=/sys/devices/system/cpu/cpu$(($(nproc --all) - 1))/online
	echo 0 >"$cpu" && sleep 0.5
	echo 1 >"$cpu" && sleep 1.5
}

kinds="processes files disk network repository compiler namespaces modules memory compaction cpus"
for kind in $kinds; do
	mkdir -p "/tmp/work/$kind"
	(cd "/tmp/work/$kind" && loop "$kind" "$kind") &
done
sleep "$seconds"
for kind in $kinds; do
	echo "$kind $(cat "$rounds/$kind")"
	[ -s "$rounds/$kind" ] || tail -n 2 "$rounds/$kind.err" >&2
done
