# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest, with CPUs that really run at once: all kinds of leaks under load, from first to last.
# shellcheck source=scripts/ktap
. ./ktap
# shellcheck source=scripts/tests/names.sh
. ./names.sh

check "loads" load
blind=30	# once: their functions are the same each time
sh ./loads.sh 25 & loads=$!
for kind in kmalloc page vmalloc softirq rcu; do
	insmod ./leaky.ko kind=$kind rate=1000 count=0 churn=20000 blind=$blind
	blind=0
	for _ in 1 2 3; do
		cat $D/top $D/slab/stacks $D/page/stacks $D/slab/caches $D/status > /dev/null
		sleep 1
	done
	echo 1 > $T/stop
	check "$kind: every figure is the driver's" sh -c "
		for i in 1 2 3 4 5 6 7 8; do
			awk -f compare.awk $T/truth $D/slab/sites $D/page/sites > /tmp/truth && exit
			sleep 1
		done
		cat /tmp/truth; exit 1"
	sed 's/^/# /' /tmp/truth
	echo 1 > $T/free
	rmmod leaky
	awk '$NF == "[leaky]" && $5 != 0' $D/slab/sites $D/page/sites > /tmp/left
	equal "$kind: nothing is left when it is freed" "$(wc -l < /tmp/left)" 0
done
wait $loads
for what in lost_ missed_frees_ short_walks folded_paths; do
	equal "$what is 0" "$(awk -v w=$what 'index($1, w) == 1 { sum += $2 } END { print sum }' $D/status)" 0
done
equal "no probe was missed" "$(awk 'on && NF == 6 { sum += $6 } $1 == "HOOK" { on = 1 } END { print sum }' $D/status)" 0
check "unloads" rmmod leakwatch

# --- the kernel's own search for leaks, where it has it: all was given back; of what is left for good it tells

if [ -e /sys/kernel/debug/kmemleak ]; then
	# twice, as what has changed since the scan before is not told of
	scan() { for _ in 1 2; do sleep 6; echo scan > /sys/kernel/debug/kmemleak; done; }
	scan
	cat /sys/kernel/debug/kmemleak
	equal "kmemleak finds nothing" "$(wc -l < /sys/kernel/debug/kmemleak)" 0
	insmod ./leaky.ko count=100
	rmmod leaky
	scan
	check "kmemleak finds what the driver leaks" test "$(wc -l < /sys/kernel/debug/kmemleak)" -gt 100
fi
finish
