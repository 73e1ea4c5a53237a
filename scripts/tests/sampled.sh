# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest: sampled mode beside a driver that leaks and says how much, and changes of mode.
# shellcheck source=scripts/ktap
. ./ktap

# shellcheck source=scripts/tests/names.sh
. ./names.sh

near() { awk -f near.awk $T/truth $D/slab/sites $D/page/sites > /tmp/near; }
exactly() { awk -f compare.awk $T/truth $D/slab/sites $D/page/sites > /tmp/near; }

# left: what is live of the driver's functions, by anybody's count: frees are exact in every mode
left() {
	cat $D/slab/sites $D/page/sites |
		awk '$NF == "[leaky]" && !/kmemleak/ { sub(/^~/, "", $5); sum += $5 < 0 ? -$5 : $5 } END { print sum + 0 }'
}

# freed: the same, deferred frees get a moment to arrive
freed() {
	for _ in 1 2 3 4 5 6; do
		[ "$(left)" != 0 ] || return 0
		sleep 2
	done
	grep leaky $D/slab/sites $D/page/sites
	return 1
}

lossless() {
	awk '/^(lost_|missed_frees_|short_walks|folded_paths|unnamed_caches|audit_dropped)/ && $2 != 0 { print; bad = 1 }
	     END { exit bad }' $D/status
}

first() { awk '$1 == 1 { sub(/\+.*/, "", $(NF - 1)); print $(NF - 1) }' $D/top; }

# leak KIND FUNCTION [PARAMETERS]
leak() {
	kind=$1 function=$2
	shift 2
	writes clear
	check "$kind: the driver loads" insmod ./leaky.ko kind="$kind" "$@"
	writes 1 ../leaky/stop
	check "$kind: estimates are near" near
	note < /tmp/near
	# of rcu as much is freed as is kept: whether it churns is for the draws to say
	[ "$short" ] || [ "$kind" = rcu ] ||
		equal "$kind: the leak is first in top" "$(first)" "$function"
	writes audit
	check "$kind: nothing was lost, and an audit drops nothing" lossless
	writes 1 ../leaky/free
	check "$kind: freed, nothing is left" freed
	check "$kind: the driver unloads" rmmod leaky
}

check "mode=some is refused" sh -c '! insmod ./leakwatch.ko mode=some'
check "sample_bytes=5000 is refused" sh -c '! insmod ./leakwatch.ko sample_bytes=5000'
check "its line names the range" logged 'leakwatch: sample_bytes=5000 is not a power of two, 4096 to'
check "loads" load mode=sampled sample_bytes=4096
check "tables say so" grep -q '^# sampled for .* s, one draw of 4096 bytes of objects, of 131072 of pages: what has a ~ is an estimate' $D/top
equal "status says so" "$(value mode) $(value sample_bytes)" "sampled 4096"

leak kmalloc leaky_leak_kmalloc count=20000 churn=50000
leak cache leaky_leak_cache count=5000 churn=5000
leak page leaky_leak_page count=1000 churn=2000
if [ ! "$short" ]; then
	leak kmalloc leaky_leak_kmalloc count=500 size=20000
	# told of twice, by two events or by functions that call each other, yet drawn once: twice would be 94 % more
	writes "sample_bytes 262144"
	leak kmalloc leaky_leak_kmalloc count=3000 size=16384
	writes "sample_bytes 4096"
	leak page leaky_leak_page count=60 order=4 churn=100
	leak split leaky_leak_split count=1200
	leak vmalloc leaky_leak_vmalloc count=1200 churn=800
	leak rcu leaky_leak_rcu count=10000
fi

# --- verdicts, by draws

if [ ! "$short" ]; then
	writes "interval 1"
	writes clear
	quiet insmod ./leaky.ko rate=2000 count=0 churn=20000 innocent=2000
	sleep 30
	note < $D/triage
	check "judge: slab leaks" grep -q "^VERDICT slab leak" $D/triage
	equal "judge: the leak is first" "$(first)" leaky_leak_kmalloc
	# of 128 bytes, 2000 a second
	growth=$(awk '/ leaky_leak_kmalloc/ { print $7; exit }' $D/slab/sites)
	check "judge: its growth is that, but for a fifth" test "$growth" -gt 720000 -a "$growth" -lt 1080000
	equal "judge: churn does not, nor what has filled up" \
		"$(awk '/leaky_(churn|innocent)/ && $2 == "leak"' $D/slab/sites | wc -l)" 0
	quiet rmmod leaky
	writes "interval 10"
fi

# --- paths without events

writes clear
quiet insmod ./leaky.ko kind=none count=0 rate=1 blind=200
writes 1 ../leaky/stop
check "blind: nothing is left" freed
check "blind: nothing was lost" lossless
quiet rmmod leaky

# --- from one mode to the other: what is live stays, and its free is heard

writes "mode exact"
writes clear
quiet insmod ./leaky.ko count=2000 churn=100
check "exact: every figure is the driver's" exactly
equal "no change since the clear" "$(value deaf_ms)" 0
writes "mode sampled"
check "status says for how long nobody listened" test "$(value deaf_ms)" -gt 0
grep ^deaf_ms $D/status | note
check "sampled from here on: every figure is as it was" exactly
note < /tmp/near
writes 1 ../leaky/free
check "freed in sampled mode, nothing is left" freed
quiet rmmod leaky
writes clear
quiet insmod ./leaky.ko count=20000 churn=100
writes "mode exact"
check "tables say so" grep -q '^# exact for .* s, before that otherwise: what has a ~ is an estimate' $D/top
check "exact from here on: estimates are near" near
writes 1 ../leaky/free
check "freed in exact mode, nothing is left" freed
quiet rmmod leaky
writes "mode sampled"
writes clear
quiet insmod ./leaky.ko kind=page count=3000
writes "mode exact"
head -n 8 $D/page/lost | note
# 12,000 KB, of some 23 draws
# shellcheck disable=SC2016	# for awk to expand
check "page/lost adds up what draws stand for" awk '
	/^# Total-lost/ { below = $11; ok = below > 4000 && below < 24000 && $17 >= 0 }
	/^# .* is explained by/ { ok = ok && $2 <= 100 && $7 <= 100; said = 1 }
	END { exit !ok || !said }' $D/page/lost
equal "census does not tell what is older, of few frames" "$(awk '$1 == "lost-pages" { print $4, $5 }' $D/census)" "- -"
writes 1 ../leaky/free
quiet rmmod leaky

writes clear
quiet insmod ./leaky.ko rate=5000 count=0 churn=20000
for setting in "mode sampled" "sample_bytes 8192" "mode exact" "mode sampled" "sample_bytes 65536" \
	       "sample_bytes 4096" "mode exact" "mode sampled"; do
	writes "$setting"
	sleep 1
done
writes 1 ../leaky/stop
check "changes of mode under load: the leak is there" test "$(left)" -gt 10000
writes 1 ../leaky/free
check "changes of mode under load: freed, nothing is left" freed
check "changes of mode under load: nothing was lost" lossless
equal "all hooks are attached" \
	"$(awk '$4 == "detached" || $4 ~ /^error/' $D/status | wc -l)" 0
note < $D/status
quiet rmmod leaky
rmmod leakwatch

# --- as it is for production: by default

check "loads" load mode=sampled
check "a driver that leaks 20 MB" insmod ./leaky.ko count=20000 size=1024 churn=100000
check "the estimate is near" near
note < /tmp/near
equal "it is first in top" "$(first)" leaky_leak_kmalloc
head -n 8 $D/top | note
grep -B 1 -A 12 '^~.*size 1024' $D/slab/stacks | head -n 30 | note
head -n 6 $D/slab/caches | note
quiet rmmod leaky
check "what it left is told as an estimate" logged "leakwatch: module leaky was unloaded and left about "
check "unloads" rmmod leakwatch
finish
