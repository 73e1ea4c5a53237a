# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest, on any kernel: which hooks there are, leaks of each class to the object, and the paths
# that have no event. The lines that begin with "matrix: " are for scripts/matrix.
# shellcheck source=scripts/ktap
. ./ktap
# shellcheck source=scripts/tests/leak.sh
. ./leak.sh

tell() { echo "matrix: $*"; }

# whole FIGURES...: one kind of leak, and whether all that was to be said of it was right
whole() {
	before=$ktap_failed
	leak "$@"
	[ "$ktap_failed" != "$before" ] || tell leak "$1"
}

builtin=
if [ -d $D ]; then
	builtin=yes
	{ dmesg | grep -E 'leakwatch: watching|Run /init'; cat $D/census; } | note
	check "built in: slab objects of the boot have paths" grep -q ' do_one_initcall+' $D/slab/stacks
	check "so have pages of the threads that it started" grep -q ' kthreadd+' $D/page/stacks
	check "what start_kernel() allocated is older" sh -c "! cat $D/slab/stacks $D/page/stacks | grep -q ' start_kernel+'"
	equal "parameters are on the command line" \
		"$(($(value sites_max) + 1)) $(cat /sys/module/leakwatch/parameters/depth)" "20000 15"
else
	check "loads" load
fi
awk 'hooks && NF == 6 { print "matrix: hook", $1, $2, $4 } $1 == "HOOK" { hooks = 1 }' $D/status
for hook in kfree kmem_cache_free kmalloc kmem_cache_alloc mm_page_free mm_page_alloc; do
	equal "$hook is attached" "$(awk -v h=$hook '$1 == h && NF == 6 { print $4 }' $D/status)" attached
done

whole kmalloc leaky_leak_kmalloc count=2000 churn=1000 innocent=50
whole cache leaky_leak_cache count=2000 churn=1000
whole page leaky_leak_page count=200 churn=500
whole split leaky_leak_split count=100
whole vmalloc leaky_leak_vmalloc count=100 churn=100
whole rcu leaky_leak_rcu count=2000

if grep -q '^HighFree: *[1-9][0-9][0-9][0-9]' /proc/meminfo; then
	writes clear
	check "high memory: the driver loads" insmod ./leaky.ko kind=page high=1 count=500
	equal "high memory: all are there" "$(awk '$2 == "high" { print $3 }' $T/truth)" 500
	check "high memory: every figure is the driver's" truth
	writes 1 ../leaky/free
	check "high memory: freed, all is even" truth
	check "high memory: nothing was lost" lossless
	check "high memory: the driver unloads" rmmod leaky
fi

# One page of a gigabyte, which was there before leakwatch, and is given back in one piece or in as many as there are
gigantic=/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages
if grep -q hugepagesz=1G /proc/cmdline; then
	equal "a gigantic page is there" "$(cat $gigantic)" 1
	writes "mode sampled"
	writes clear
	echo 0 > $gigantic
	equal "a gigantic page goes, in sampled mode" "$(cat $gigantic)" 0
	check "gigantic: nothing was lost" lossless
	writes "mode exact"
fi

writes clear
check "blind: the driver loads" insmod ./leaky.ko kind=none count=0 rate=1 blind=100
writes 1 ../leaky/stop
check "blind: every path comes out even" truth
note < /tmp/truth
awk '/^leaky_blind_/ { print "matrix: blind", $1, $NF }' /tmp/truth
check "blind: nothing was lost" lossless
check "the driver unloads" rmmod leaky

if [ ! "$builtin" ]; then
	check "leakwatch unloads" rmmod leakwatch
	check "nothing is left of it" test ! -e $D
fi
[ "$ktap_failed" -ne 0 ] || tell unloaded ${builtin:+builtin}
finish
