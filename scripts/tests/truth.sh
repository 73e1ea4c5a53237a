# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest: leakwatch is the first thing that is loaded, then comes the load, and at the end every
# figure of it is kept, and what the kernel itself has in its books: /dev/vdb is a tar of them, for truth-books.sh, which
# compares them. truth.conf says which books it has, for how long, and how many pairs the storm does on the
# paths that have no event.
# shellcheck source=/dev/null
. ./truth.conf
# shellcheck source=scripts/ktap
. ./ktap
D=/sys/kernel/debug/leakwatch
B=/sys/kernel/debug/books
T=/tmp/books
mkdir -p $T

# has BOOK: is it one of those to compare with?
has() { case " ${books?} " in *" $1 "*) ;; *) return 1 ;; esac; }

# What time it is in ns as the log has it, and page_owner.
stamp() {
	echo "truth: now" >/dev/kmsg
	dmesg | sed -n 's/^\[ *\([0-9]*\)\.\([0-9]*\)\] truth: now$/\1\2000/p' | tail -n 1
}

# keep NAME VALUE: for truth-books.sh
keep() { echo "$1='$2'" >>$T/values; }

# status NAME
status() { awk -v name="$1" '$1 == name { print $2 }' $D/status; }

# frames [FILE]: the flags of each; FILE is read after them
frames() { od -An -v -tx8 -w8 /proc/kpageflags "$@"; }

# slabinfo FILE: with nothing free on a CPU's slabs, which it would take for in use; what a cache returns by RCU takes a while
slabinfo() {
	local cache
	for cache in /sys/kernel/slab/*/shrink /sys/kernel/slab/*/shrink; do
		[ -L "${cache%/*}" ] || echo 1 >"$cache"
	done
	cat /proc/slabinfo >"$1"
}

# insert LIST: the modules of a list, if the kernel has them as such
insert() {
	local module
	# shellcheck disable=SC2013	# a word a line
	for module in $(cat "modules/$1"); do insmod "modules/$module" || return; done
}

# Waiting without a process: what is looked at is not to change by looking.
mkfifo /tmp/nap
exec 6<>/tmp/nap
# shellcheck disable=SC3045	# busybox can
nap() { read -r -t "$1" _ <&6; }

# Before, and right after.
! has objects || { insmod ./books.ko; exec 5>$B/take; }
keep load "$(stamp)"
keep load_ms "$(cat $B/now 2>/dev/null)"
check "loads" insmod ./leakwatch.ko stacks=all
keep loaded "$(stamp)"
keep loaded_ms "$(cat $B/now 2>/dev/null)"
! has objects || { echo >&5; cat $B/objects >$T/t0; }
keep uo0 "$(status unmatched_objects)"
if has profile; then
	cat $D/slab/sites >$T/sites0
	cat $D/page/sites >$T/psites0
	cat /proc/allocinfo >$T/profile0
	keep pp0 "$(status unmatched_pages)"
	keep po0 "$(status unmatched_objects)"
fi
frames >$T/f0
echo 1 >/proc/sys/vm/stat_refresh
keep up0 "$(status unmatched_pages)"
keep pl0 "$(status pages_live)"
cat /proc/zoneinfo >$T/z0
nap 12	# what was given to kfree_rcu() before the load is given back
slabinfo $T/c0
cat $D/slab/caches >$T/o0
keep co0 "$(status unmatched_objects)"

# A disk with real programs, and a place where both sides see the same.
insert disk
R=/root
mkdir -p $R
check "the disk is mounted" mount -t ext4 /dev/vda $R
mount -t proc proc $R/proc
mount -t sysfs sysfs $R/sys
# no debugfs: stress-ng writes to clear_warn_once, and then DO_ONCE() does it twice, a BUG in kernels up to 6.16
mount -t devtmpfs devtmpfs $R/dev
mkdir -p $R/dev/shm $R/dev/pts $R/lw $R/tmp/books
mount -t tmpfs tmpfs $R/dev/shm
mount -o bind /lw $R/lw
mount -o bind /tmp/books $R/tmp/books
[ ! -e modules/zram ] || {
	insert zram
	echo 256M >/sys/block/zram0/disksize
	chroot $R /sbin/mkswap /dev/zram0 >/dev/null 2>&1
	chroot $R /sbin/swapon /dev/zram0
}
[ ! -e modules/overlay ] || insert overlay

check "the load has its programs" chroot $R /bin/sh -c \
	"for name in stress-ng fio iperf3 git gcc unshare ip; do PATH=/usr/sbin:/usr/bin command -v \$name || exit 1; done"
ip link set lo up
insmod ./storm.ko pairs=0
echo "${pairs:?}" >/sys/kernel/debug/storm/run & storm=$!
chroot $R /usr/bin/env PATH=/usr/sbin:/usr/bin /usr/bin/unshare -pf --kill-child --mount-proc /bin/bash /lw/truth-load.sh "${seconds:?}" >$T/rounds 2>$T/rounds.err
wait $storm
cat /sys/kernel/debug/storm/truth >$T/storm
echo "# storm: $(awk '!/^#/ { sum += $3 } END { print sum }' $T/storm) pairs"
equal "storm: all that it allocated is freed" "$(awk '$2 == "live" { print $3 }' $T/storm)" 0
tail -n 20 $T/rounds.err | sed 's/^/# rounds: /'
sed 's/^/# rounds: /' $T/rounds
# on a slow machine a minute is not enough for each kind to come round
[ "$seconds" -lt 90 ] || equal "every kind of load did its rounds" "$(awk '$2 > 0 { n++ } END { print n + 0 }' $T/rounds)" "$(wc -l <$T/rounds)"

# Let it settle: swap, caches, what RCU and workqueues still hold.
[ ! -e modules/zram ] || chroot $R /sbin/swapoff /dev/zram0
sync
sleep "${settle:-6}"
awk '/\[storm\]/ && $5 != 0' $D/slab/sites $D/page/sites >$T/left
sed 's/^/# left: /' $T/left
equal "of the storm nothing is live" "$(wc -l <$T/left)" 0

# The module's own proof.
check "an audit" sh -c "echo audit >$D/control"
sed -n '/^lost_/p;/^missed_/p;/^audit/p;/^unmatched/p;/^objects_/p;/^pages_live/p;/^sites/p;/^frames/p;/^folded/p;/walks/p;/^moved/p;/^memory/p' \
	$D/status | sed 's/^/# status: /'
for what in lost_ missed_frees_ audit_dropped_ folded_paths unnamed_caches wrong_walks; do
	equal "status: $what is 0" "$(awk -v w=$what 'index($1, w) == 1 { sum += $2 } END { print sum }' $D/status)" 0
done
awk 'on && NF == 6 && $6 { print $1 } $1 == "HOOK" { on = 1 }' $D/status >$T/missed
while read -r hook; do
	grep "^$hook " $D/status | sed 's/^/# missed: /'
	check "top says that $hook was missed" grep -q "^# allocations by $hook are partly missed" $D/top
done <$T/missed
# missed CLASS: how many that may be: some calls are for one, some for many
missed() { awk -v class="$1" 'on && $3 == class && NF == 6 { sum += $6 * ($1 ~ /bulk|contig/ ? 32 : 1) } $1 == "HOOK" { on = 1 } END { print sum + 0 }' $D/status; }
equal "no free was missed" "$(awk 'on && /free|kvfree|destroy|migrate/ && NF == 6 { sum += $6 } $1 == "HOOK" { on = 1 } END { print sum + 0 }' $D/status)" 0

# The kernel's books, each between two looks at ours.
: >$T/f1; : >$T/f2
keep a_ms "$(cat $B/now 2>/dev/null)"
cat $D/slab/live >$T/a
if has objects; then
	nap 3
	echo >&5
	cat $B/objects >$T/b
	keep uo1 "$(status unmatched_objects)"
	nap 3
fi
cat $D/slab/live >$T/a2
slabinfo $T/c1
cat $D/slab/caches >$T/o1
keep co1 "$(status unmatched_objects)"
cat /proc/slabinfo >$T/c2
cat $D/slab/stacks >$T/stacks
! has objects || cat $B/stacks >$T/depot
keep pa "$(stamp)"
cat $D/page/live >$T/pa
# the reader stays until the last reading: its page tables are in these frames, and in ours of then
mkfifo /tmp/stay
frames /tmp/stay >$T/f1 & reader=$!
exec 7>/tmp/stay
echo 1 >/proc/sys/vm/stat_refresh
keep up1 "$(status unmatched_pages)"
keep pl1 "$(status pages_live)"
cat /proc/zoneinfo >$T/z1
cat /proc/vmstat >$T/vmstat
! has owner || { cat /sys/kernel/debug/page_owner >$R/tmp/owner; ln -s $R/tmp/owner $T/owner; }	# large
cat $D/page/live >$T/pa2
cat $D/page/stacks >$T/pstacks
if has profile; then
	cat $D/slab/sites >$T/sites
	cat $D/page/sites >$T/psites
	cat /proc/allocinfo >$T/profile1
	cat $D/slab/sites >$T/sites2
	cat $D/page/sites >$T/psites2
	keep pp1 "$(status unmatched_pages)"
	keep po1 "$(status unmatched_objects)"
fi
nap 12
! has objects || { echo >&5; cat $B/objects >$T/b2; }
cat $D/slab/live >$T/a3
frames >$T/f2
exec 7>&-
wait $reader
! has owner || { cat /sys/kernel/debug/page_owner >$R/tmp/owner2; ln -s $R/tmp/owner2 $T/owner2; }
cat $D/page/live >$T/pa3
cat /proc/kallsyms >$T/symbols
keep missed_slab "$(missed slab)"
keep missed_page "$(missed page)"
check "unloads" rmmod storm leakwatch
# to where a processor compares them that is none of QEMU's
tar -C $T -chf - . | dd of=/dev/vdb bs=1M conv=fsync 2>/dev/null
finish
