# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest, under -icount: what class buffer costs, in instructions: a cycle of getting a buffer
# of a page from the system heap and closing it, in each state of leakwatch; a walk to all holders, and what
# a program needs for descriptors alone.
D=/sys/kernel/debug/leakwatch
heap=/dev/dma_heap/system
processes=300 fds=50 shared=5

# cycle STATE
cycle() { echo "bench: cycle $1 $(./buffers heap="$heap" cost=3000)"; }

# nothing_lost: or it was no measurement
nothing_lost() { awk '/^lost/ && $2 { print "lost something:", $0; exit 1 }' $D/status || exit 1; }

sleep 15	# the kernel still tries out its ciphers
cycle absent
insmod ./leakwatch.ko classes=buffer || exit 1
cycle buffer
nothing_lost

# Some are of buffers, and all processes have them: as many holders as there can be of so many
# shellcheck disable=SC2086	# words
./buffers heap="$heap" times=$((fds - shared)) open=/dev/null again times=$shared alloc=65536 again \
	times=$((processes - 1)) fork again ready=/tmp/ready wait &
while [ ! -e /tmp/ready ]; do sleep 1; done
sleep 1
for _ in 1 2 3; do
	echo "bench: walk holders $(./buffers read=$D/buffers/holders)"
	echo "bench: walk live $(./buffers read=$D/buffers/live)"
	# shellcheck disable=SC2046	# how many, and how long
	set -- $(./buffers look)
	echo "bench: walk proc $2"
done
echo "bench: found $(grep -c ' buffers  *fd ' $D/buffers/holders) of $((processes * shared)), a program $1"
nothing_lost
killall -9 buffers
rmmod leakwatch

insmod ./leakwatch.ko || exit 1
cycle exact
echo "stacks off" > $D/control
cycle exact_stacks_off
echo "stacks all" > $D/control
echo "mode sampled" > $D/control
cycle sampled
nothing_lost
echo stop > $D/control
cycle stopped
