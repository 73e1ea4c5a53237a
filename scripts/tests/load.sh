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

# --- the kernel's own search for leaks, where it has it, finds what the driver leaks for good, and nothing else

if [ -e /sys/kernel/debug/kmemleak ]; then
	insmod ./leaky.ko count=100 & leaker=$!
	wait $leaker
	rmmod leaky
	# twice, as what has changed since the scan before is not told of
	for _ in 1 2; do sleep 6; echo scan > /sys/kernel/debug/kmemleak; done
	# shellcheck disable=SC2016	# for awk to expand
	awk -v leaker="pid $leaker," '
		/unreferenced object/ { object = $0 }
		/ comm .*, pid / { if (index($0, leaker)) driver++; else { others++; print object; print } }
		END { print driver + 0, others + 0 > "/tmp/leaks" }' /sys/kernel/debug/kmemleak
	check "kmemleak finds what the driver leaks" test "$(cut -d ' ' -f 1 < /tmp/leaks)" -ge 100
	equal "kmemleak finds nothing else" "$(cut -d ' ' -f 2 < /tmp/leaks)" 0
fi
finish
