# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest, with CPUs that really run at once: buffers come and go, and those who have them, while
# others read all files about them. The hooks stay: see e2e.
# shellcheck source=scripts/ktap
. ./ktap

D=/sys/kernel/debug/leakwatch
B=$D/buffers
L=/sys/kernel/debug/lender

heap=lender
[ ! -e /dev/dma_heap/system ] || heap=/dev/dma_heap/system
[ ! -e /dev/ion ] || heap=ion:ion_system_heap

value() { awk -v name="$1" '$1 == name { print $2 }' $D/status; }
sum() { awk -v c="$1" '$3 == "buffer" { sum += $c } END { print sum + 0 }' $D/top; }
drop() { echo 1 > $L/drop; }
# keeper: no more than there is room for, however late the others are
keeper() { ./buffers heap="$heap" times=200 alloc=8192 keep close again; drop; }
forever() { while :; do "$@"; done 2> /dev/null; }

# Who reads sees whole lines of what there is, in order. As for what a line says of one that comes and goes, it
# may be over when it is read.
right() {
	awk -v f="$1" '
		/^#/ { next }
		!columns { columns = NF; next }
		{ rows++ }
		f == "live" && ($1 <= last || !($2 in size) || NF < columns) { print "live:", $0; bad = 1 }
		f == "holders" && ($1 < last || !($6 in size) || NF != columns) { print "holders:", $0; bad = 1 }
		f == "orphans" && (!($3 in size) || $2 != $1 * $3 / 1024 || NF < columns) { print "orphans:", $0; bad = 1 }
		f == "heaps" && (NF != columns || $3 % 4 || $4 > $2) { print "heaps:", $0; bad = 1 }
		{ last = $1 }
		BEGIN { size[4096]; size[8192]; size[12288]; size[16384] }
		END { exit bad || !columns }' $B/"$1" >> /tmp/wrong || echo "$1 was wrong" >> /tmp/wrong
}

insmod ./lender.ko
check "loads" insmod ./leakwatch.ko
echo rows 0 > $D/control
cat $B/events > /tmp/stream & stream=$!
sleep 1

# Who makes them: closes all; gives them to the driver, which drops them; leaves all to its end; is killed
: > /tmp/wrong
forever ./buffers heap="$heap" times=1000000 alloc=4096 map dup close unmap close again & everybody=$!
forever keeper & everybody="$everybody $!"
forever ./buffers heap="$heap" times=3 alloc=12288 map dup again & everybody="$everybody $!"
forever timeout -s KILL 3 ./buffers heap="$heap" alloc=16384 map fork & everybody="$everybody $!"
forever drop & everybody="$everybody $!"
# Who goes away in the midst of a line, and who comes late
forever sh -c "dd if=$B/events bs=150 count=3 | cat > /dev/null" & everybody="$everybody $!"
forever sh -c "cat $D/top $B/stacks $D/user/processes $D/status > /dev/null" & everybody="$everybody $!"

# made KB: how many of that size there have been
made() { grep -c "size $(($1 * 1024)), .* allocs [1-9]" $B/stacks; }
# eight times, and as often as it takes for each to have been made: this kernel may be a slow one
for round in $(seq 40); do
	for f in live holders; do right $f & one=$!; right orphans; right heaps; wait $one; done
	[ "$round" -lt 8 ] || [ "$(made 4)" = 0 ] || [ "$(made 8)" = 0 ] || [ "$(made 12)" = 0 ] || [ "$(made 16)" = 0 ] || break
done
equal "what was read was whole and in order" "$(head -n 5 /tmp/wrong)" ""
for one in $everybody $stream; do kill "$one"; done
killall -9 buffers
wait
for _ in $(seq 50); do
	drop
	[ "$(value buffers_live)" != 0 ] || break
	sleep 0.2
done
equal "all over: none is live" "$(value buffers_live)" 0
equal "and no file has any" "$(for f in live holders orphans; do cat $B/$f; done | grep -c '^ *[0-9]')" 0
equal "each that was made is freed" "$(sum 9)" "$(sum 10)"
for kb in 4 8 12 16; do
	check "and there were some of $kb KB" test "$(made $kb)" -gt 0
done
equal "nothing was lost" "$(value lost_buffers_full) $(value unmatched_buffers) $(value missed_frees_buffers)" "0 0 0"
equal "no hook missed any" "$(awk '$3 == "buffer" && NF == 6 && $6 > 0' $D/status)" ""
# An id is never used again: after its release there is no more of it, and nothing before it is made.
awk '
	!/^#/ && $4 == "alloc" { if ($5 in seen) print; seen[$5] }
	!/^#/ && $4 != "alloc" && $5 ~ /^[0-9]+$/ && $5 in gone { print }
	!/^#/ && $4 == "release" { gone[$5]; n++ }
	END { print n > "/tmp/released" }' /tmp/stream > /tmp/disorder
equal "events: each life is in order" "$(head -n 5 /tmp/disorder)" ""
check "and there were some" test "$(cat /tmp/released)" -gt 0
check "leakwatch unloads" rmmod leakwatch
check "and the driver" rmmod lender
if [ -e /sys/kernel/debug/kmemleak ]; then
	echo scan > /sys/kernel/debug/kmemleak
	sleep 6
	echo scan > /sys/kernel/debug/kmemleak
	cat /sys/kernel/debug/kmemleak
	equal "kmemleak finds nothing" "$(wc -l < /sys/kernel/debug/kmemleak)" 0
fi
finish
