# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest: a leak, before and after a suspend, and clocks that leap.
# shellcheck source=scripts/ktap
. ./ktap

D=/sys/kernel/debug/leakwatch
RTC=/sys/class/rtc/rtc0

# column N: of the leak's row
column() { awk -v n="$1" '/ leaky_leak_kmalloc/ { print $n; exit }' $D/slab/sites; }
# gap: the longest between two points of its history, in tenths of a second
gap() {
	awk '/ leaky_leak_kmalloc/ {
		n = split($7, p, ",")
		for (i = 2; i <= n; i++) { split(p[i], a, ":"); split(p[i - 1], b, ":"); if (a[1] - b[1] > max) max = a[1] - b[1] }
		print max; exit }' $D/history
}

check "loads" insmod ./leakwatch.ko
echo interval 1 > $D/control
insmod ./leaky.ko rate=50 count=0 churn=100 innocent=50
sleep 12
before=$(date +%s)
echo 0 > $RTC/wakealarm
echo +20 > $RTC/wakealarm
check "suspends to RAM" sh -c "echo mem > /sys/power/state"
check "for 15 s at least" test $(($(date +%s) - before)) -ge 15
date -s "2038-01-01 00:00:00" > /dev/null
sleep 14
sed 's/^/# /' $D/triage
equal "the leak is one" "$(column 2)" leak
echo "# growth $(column 7) KB/h, gap $(gap) tenths of a second, oldest $(column 13) s"
check "it grew by 50 times 128 bytes a second that it was awake" test "$(column 7)" -gt 20000 -a "$(column 7)" -lt 25000
check "suspended it got no points, and no time passed" test "$(gap)" -lt 100
check "nor for ages" test "$(column 13)" -lt 40
equal "what has filled up is none" "$(awk '/ leaky_innocent/ { print $2; exit }' $D/slab/sites)" steady
check "triage accuses nobody else" sh -c "[ \$(grep -c '^[0-9][.] leak' $D/triage) = 1 ]"
rmmod leaky
rmmod leakwatch
finish
