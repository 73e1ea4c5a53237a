# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Sourced in a guest whose disks are those of scripts/root and, on amd64, scripts/headers:
# programs in a root of their own, and the tools for BPF that count allocations.
R=/root
headers=''

# root: mount it
root() {
	# shellcheck disable=SC2013	# a word a line
	for module in $(cat modules/disk 2>/dev/null); do insmod "modules/$module"; done
	mkdir -p $R
	mount -t ext4 /dev/vda $R || exit 1
	mount -t proc proc $R/proc
	mount -t sysfs sysfs $R/sys
	mount -t debugfs debugfs $R/sys/kernel/debug
	mount -t tracefs tracefs $R/sys/kernel/tracing
	mount -t devtmpfs devtmpfs $R/dev
	mount -t tmpfs tmpfs $R/tmp
	[ -e /dev/vdb ] || return 0
	# Where their makefile looks for them; and, should they be of this very kernel, where tools do.
	mount -t ext4 /dev/vdb $R/mnt || exit 1
	headers=$(cd $R && echo mnt/usr/src/linux-headers-*-amd64)
	from=$(sed -n 's#^include \(.*\)/usr/src/.*#\1#p' "$R/$headers/Makefile")
	mkdir -p "$R${from%/*}" "$R/lib/modules/$(uname -r)"
	ln -s /mnt "$R$from"
	ln -s "/$headers" "$R/lib/modules/$(uname -r)/build"
	ln -s "/${headers%-*}-common" "$R/lib/modules/$(uname -r)/source"
}

# inside PROGRAM ARGUMENT...
inside() { chroot $R /usr/bin/env PATH=/usr/sbin:/usr/bin PYTHONUNBUFFERED=1 "$@"; }

# tool_begin TOOL: in the background, from when it says that it is there, as $tool; what people use where the kernel
# may not be rebuilt
tool_begin() {
	case $1 in
	memleak-bpfcc) set -- /usr/sbin/memleak-bpfcc 100000 ;;
	bpftrace) set -- /usr/bin/bpftrace -e '
		tracepoint:kmem:kmalloc, tracepoint:kmem:kmem_cache_alloc { @[args->ptr] = kstack(16) }
		tracepoint:kmem:kfree, tracepoint:kmem:kmem_cache_free { delete(@[args->ptr]) }' ;;
	esac
	# no function, so that the job is the tool itself
	chroot $R /usr/bin/env PATH=/usr/sbin:/usr/bin PYTHONUNBUFFERED=1 "$@" > /tmp/tool 2>&1 &
	tool=$!
	for _ in $(seq 600); do
		sleep 1
		! grep -q '^Attach' /tmp/tool || break
	done
	sleep 2
	tail -n 3 /tmp/tool
	grep -q '^Attach' /tmp/tool && kill -0 "$tool" || exit 1
}

tool_end() {
	kill -0 "$tool" || { echo "the tool ended by itself"; exit 1; }
	kill -9 "$tool"
	wait "$tool"
	sleep 2		# its programs go when all have left them
}
