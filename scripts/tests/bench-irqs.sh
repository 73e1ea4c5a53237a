# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest, under -icount, on a kernel with the irqsoff tracer: how long leakwatch keeps interrupts off, in
# instructions, the tracer's own included. The kernel's longest stretch under the same load is told beside, with
# leakwatch and without: the tracer shows one, whoever made it. Of those that ours begin, events tell each.
D=/sys/kernel/debug/leakwatch
T=/sys/kernel/tracing
heap=/dev/dma_heap/system

echo 0 > $T/options/function-trace
echo x86-tsc > $T/trace_clock	# an instruction a tick
echo 16384 > $T/buffer_size_kb

# load: processes, files, pages of them, pipes
load() {
	for i in 1 2 3 4 5 6 7 8 9 10; do
		busybox true
		dd if=/dev/zero of=/tmp/file bs=1M count=8 2> /dev/null
		busybox md5sum < /tmp/file > /dev/null
		rm /tmp/file
		mkdir -p /tmp/d/$i && rm -r /tmp/d
	done
}

# longest STATE: the kernel's longest stretch under the load
longest() {
	echo irqsoff > $T/current_tracer
	echo 0 > $T/tracing_max_latency
	load
	echo nop > $T/current_tracer
	echo "bench: read irqs_off_kernel_$1 $(cat $T/tracing_max_latency) us"
}

longest absent
insmod ./leakwatch.ko objects=65536 grow=1 || exit 1
longest exact

# ours: those that begin in the module, or in a lock that it takes
# shellcheck disable=SC2046	# words
set -- $(awk '$1 == "leakwatch" { print $6, $2 }' /proc/modules) $(awk '$3 == "_stext" { print $1 }' /proc/kallsyms)
from=$(($1 - 0x$3)) to=$(($1 - 0x$3 + $2))
for event in irq_disable irq_enable; do
	echo "(caller_offs >= $from && caller_offs < $to) || (parent_offs >= $from && parent_offs < $to)" \
		> $T/events/preemptirq/$event/filter || exit 1
done

# stretches STATE COMMAND...: what ours were while it ran
stretches() {
	state="$1"
	shift
	echo > $T/trace
	echo 1 > $T/events/preemptirq/enable
	"$@" || { echo "failed: $state"; exit 1; }
	echo 0 > $T/events/preemptirq/enable
	awk -v state="$state" '
		{ for (at = 1; at <= NF && $at !~ /^irq_(dis|en)able:$/; at++); if (at > NF) next; time = $(at - 1) + 0 }
		$at == "irq_disable:" { began = time; by = $0; sub(/.*irq_disable: /, "", by) }
		$at == "irq_enable:" && began {
			n++
			if (time - began > most) { most = time - began; who = by }
			began = 0
		}
		END {
			gsub(/ /, "_", who)
			printf "bench: read irqs_off_%s %d longest_of_%d_%s\n", state, most, n, who
		}' $T/trace
}

fill() { insmod ./bench.ko "fill=$1"; }
read_all() { find $D -type f -perm -400 ! -name events ! -name control -exec cat {} + > /dev/null; }
tell() { for setting; do echo "$setting" > $D/control || return; done; }
buffers() { ./buffers heap=$heap times=300 alloc=4096 map dup close unmap close again; }
hold() {
	./buffers heap=$heap times=500 alloc=4096 again ready=/tmp/ready wait & holder=$!
	while [ ! -e /tmp/ready ]; do sleep 1; done
	read_all
	kill $holder
}

stretches load load
stretches full_table fill 150000
stretches read read_all
stretches audit tell audit
stretches mark sh -c "echo here > $D/mark"
rmmod bench
stretches clear tell clear
stretches modes tell "mode sampled" "sample_bytes 4096" stop start
stretches sampled load
tell "mode exact"
stretches buffers buffers
stretches holders hold
stretches unload rmmod leakwatch
