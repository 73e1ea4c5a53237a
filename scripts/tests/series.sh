# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest: loads, some with a leak among them; after each, the histories that leakwatch has of
# it. series.conf names the scenarios, and how long a second of theirs is.
# shellcheck source=/dev/null
. ./series.conf
D=/sys/kernel/debug/leakwatch
R=/root

# shellcheck disable=SC2013	# a word a line
[ ! -e /dev/vda ] && for module in $(cat modules/disk 2>/dev/null); do insmod "modules/$module"; done
mkdir -p $R
if mount -t ext4 /dev/vda $R 2>/dev/null; then
	mount -t proc proc $R/proc
	mount -t sysfs sysfs $R/sys
	mount -t devtmpfs devtmpfs $R/dev
	mkdir -p $R/dev/shm
	mount -t tmpfs tmpfs $R/dev/shm
	mount -t tmpfs tmpfs $R/tmp
fi
ip link set lo up

real() { chroot $R /usr/bin/env PATH=/usr/sbin:/usr/bin "$@"; } >/dev/null 2>&1 </dev/null
# again SECONDS COMMAND...: over and over, with a pause
again() {
	pause=$1
	shift
	while :; do
		"$@"
		sleep "$pause"
	done
} >/dev/null 2>&1 </dev/null
# shellcheck disable=SC2317	# called by the scenarios, by name
{
files() { again 0 real sh -c 'cd /tmp && rm -rf w && mkdir w && cd w && git init -q . && cp -r /usr/include/linux/netfilter . && git add . && git -c user.name=a -c user.email=a@b commit -q -m one'; }
compiler() { again 0 real sh -c 'cd /tmp && printf "#include <stdio.h>\nint main(void){return 0;}\n" >a.c && gcc -O2 -o a a.c && ./a'; }
warm() { real sh -c 'find / -xdev | head -n 3000'; }		# once: a level that stays
walk() { real sh -c 'find / -xdev'; real find /proc; }		# fills caches of inodes
reading() { real sh -c 'cat /usr/bin/* /usr/lib/*/* >/dev/null'; }
processes() { again 0 real stress-ng --fork 1 --sockpair 1 --pipe 1 --timeout 3; }
tasks() { again 2 real stress-ng --clone 1 --msg 1 --shm 1 --timeout 2; }
directories() { again 0 real stress-ng --dentry 1 --dir 1 --temp-path /tmp --timeout 3; }
network() { real iperf3 -s -D; again 1 real iperf3 -c 127.0.0.1 -t 3 -P 3; }
bursts() { again 3 real stress-ng --vm 1 --vm-bytes 80m --memfd 1 --memfd-bytes 16m --timeout 2; }
# shellcheck disable=SC2016	# that shell expands it
mounts() { again 1 sh -c 'for i in 1 2 3 4 5 6 7 8; do mkdir -p /tmp/m$i; mount -t tmpfs none /tmp/m$i; : >/tmp/m$i/a; done; sleep 2; for i in 1 2 3 4 5 6 7 8; do umount /tmp/m$i; done'; }
service() { again 1 sh -c 'for i in 1 2 3 4 5 6; do sleep 6 & done; busybox httpd -f -p 8080 & sleep 4; kill $!'; }
drops() { again 7 sh -c 'echo 3 >/proc/sys/vm/drop_caches'; }
driver() { again 4 sh -c 'insmod ./leaky.ko count=400 churn=1000; sleep 2; echo 1 >/sys/kernel/debug/leaky/free; rmmod leaky'; }
jobs() { again 60 sh -c 'find / -xdev >/dev/null; for i in 1 2 3 4 5 6 7 8; do (sleep 2) & done'; }
# shellcheck disable=SC2016	# that shell expands it
hourly() { again 900 sh -c 'for i in 1 2 3 4 5 6 7 8 9; do mkdir -p /tmp/h$i; mount -t tmpfs none /tmp/h$i; done; sleep 300; umount /tmp/h*'; }
logs() { again 15 sh -c 'date >>/tmp/log'; }		# a file that grows by a line
}

# scenario NAME SECONDS "LOADS" [PARAMETERS of the driver]
scenario() {
	name=$1 seconds=$2 loads=$3
	shift 3
	pids=
	echo clear >$D/control
	for load in $loads; do
		$load & pids="$pids $!"
	done
	[ $# -eq 0 ] || insmod ./leaky.ko "$@"
	sleep "$seconds"
	echo "series: begin $name $*"
	cat $D/history >/tmp/h
	# of sites, what has grown; of what changed otherwise, which says less, every eighth
	awk '$1 == "slab" || $1 == "page" {
		n = split($7, p, ","); moved = 0
		for (i = 2; i <= n; i++) { split(p[i], a, ":"); split(p[1], b, ":"); moved += a[2] != b[2] }
		if (n >= 8 && moved && (a[2] > b[2] || NR % 8 == 0)) print
	}' /tmp/h
	echo "series: end $name"
	head -n 12 $D/top | cut -c 1-150 | sed 's/^/# /'
	sed 's/^/# /' $D/triage
	# shellcheck disable=SC2086
	kill $pids
	[ $# -eq 0 ] || rmmod leaky
	killall -q stress-ng iperf3 httpd sleep find git gcc
	sleep 1
}

insmod ./leakwatch.ko
echo "interval ${interval:?}" >$D/control
scenarios
awk '/^(lost|missed|histor|samples|sites|memory)/' $D/status | sed 's/^/# status: /'
