# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest: the leaks of the guide, each beside something that is none. triage alone has to name
# the first, and must not name the other.
# shellcheck source=scripts/ktap
. ./ktap

D=/sys/kernel/debug/leakwatch
HPET=0xfed00000
heap=lender
[ ! -e /dev/dma_heap/system ] || heap=/dev/dma_heap/system
long=$(cat long)

note() { sed 's/^/# /'; }
# hog WORD...: as hog.c, in the background
hog() { ./hog "$@" & hogs="$hogs $!"; }

# verdict PLACE: the word
verdict() { awk -v place="$1" '$1 == "VERDICT" && $2 == place { print $3 }' /tmp/triage; }
# suspect N TEXT...: has it all of these?
suspect() {
	awk -v n="$1." '/^[#V]/ { on = 0 } /^[0-9][.]/ { on = $1 == n } on' /tmp/triage > /tmp/suspect
	shift
	for text; do grep -q "$text" /tmp/suspect || return 1; done
}
not() { ! "$@"; }
# named WORD: does a suspect's text have that?
named() { grep -v -e '^#' -e '^VERDICT' /tmp/triage | grep -q -- "$1"; }
watch() { sleep "$1"; triage; }
triage() {
	cat $D/triage > /tmp/triage
	note < /tmp/triage
	at_most "it fits 80 columns" "$(awk '{ n = length() > n ? length() : n } END { print n }' /tmp/triage)" 80
	at_most "it fits 24 lines" "$(wc -l < /tmp/triage)" 24
}

# A media process that asks for a buffer, hands it to who shows it and is killed, once in $1 seconds.
media() {
	./buffers name=surfaceflinger times=100000 listen=there again &
	while sleep "$1"; do
		./buffers name=mediaserver heap=$heap alloc=524288 send=there ready=/tmp/ready wait &
		while [ ! -e /tmp/ready ]; do sleep 0.05; done
		rm /tmp/ready
		kill -9 $!
	done 2> /dev/null
}
# A camera that takes buffers and gives them back.
camera() { while :; do ./buffers name=camera heap=$heap times=20 alloc=1048576 map unmap close again; sleep "$1"; done; }

swap() {
	# shellcheck disable=SC2013	# a word a line
	for module in $(cat modules/zram); do insmod "modules/$module"; done
	echo 128M > /sys/block/zram0/disksize
	mkswap /dev/zram0 > /dev/null && swapon /dev/zram0
}

[ $heap != lender ] || insmod ./lender.ko
check "loads" insmod ./leakwatch.ko
if [ "$long" -gt 0 ]; then
	swap
	insmod ./careless.ko regs=$HPET reset_ms=1000 poll_ms=1000 copy_ms=5000 lookup_ms=2000 lookups=300
	hog name=mixer native=64 every=30000 churn=1024
	hog name=wallpaper native=64 every=10000 upto=4096
	hog name=compositor memfd=32 every=20000
	media 60 & jobs=$!
	while sleep 60; do find / -xdev > /dev/null 2>&1; done &
	camera 30 & jobs="$jobs $!"
	for _ in 1 2 3 4; do sleep $((long / 4)); triage; done
	head -n 12 $D/user/processes | note
	head -n 12 $D/top | note
	awk '/^(hist|sample|memory|lost|missed)/' $D/status | note
	for who in careless mixer compositor mediaserver; do check "$who is named" named "$who"; done
	finish
	exit
fi
echo interval 1 > $D/control

# (a) Areas of vmalloc's that a driver does not give back, behind a helper that others use, too.
insmod ./careless.ko regs=$HPET reset_ms=20 poll_ms=10 lookup_ms=20 lookups=200
echo clear > $D/control
watch 21
equal "areas: slab leaks" "$(verdict slab)" leak
check "areas: the first suspect is the driver" suspect 1 "driver careless" careless_reset
check "areas: not by the path that unmaps" not suspect 1 careless_poll
check "areas: nor a cache that is full" not named careless_lookup
equal "areas: nothing else leaks" "$(verdict buffer) $(verdict user-native) $(verdict user-shmem)" "steady steady steady"
rmmod careless

# (b) Page tables for addresses that a driver does not give back, behind a helper that clears pages.
insmod ./careless.ko clear_ms=100 copy_ms=1500
echo clear > $D/control
watch 21
equal "tables: page leaks" "$(verdict page)" leak
check "tables: the first suspect is the driver" suspect 1 "driver careless" careless_clear
check "tables: not by the path that unmaps" not suspect 1 careless_copy
head -n 30 $D/page/lost | note
check "tables: they are lost pages, by that path" grep -q "__pte_alloc_kernel" $D/page/lost
rmmod careless

# (c) Buffers of a media process that is killed, kept by who shows them.
camera 0.2 & camera=$!
media 0.5 & jobs=$!
echo clear > $D/control
watch 21
equal "buffers: they leak" "$(verdict buffer)" leak
check "buffers: are the first suspect" suspect 1 "leak, buffer"
check "buffers: who made them is named" named "orphans of mediaserver (dead)"
check "buffers: and who holds them" named "held by surfaceflinger"
check "buffers: who gives them back is not" not named camera
kill $camera $jobs
killall -q -9 buffers

# (d) A process whose heap grows, one that loses files in memory, with a swap of compressed memory.
swap
hog name=mixer native=512 every=500 churn=1024
hog name=compositor memfd=512 every=500
hog name=wallpaper native=1024 every=100 upto=8192
hog name=launcher memfd=1024 every=100 upto=8192
hog name=camera churn=16384 every=300
hog name=game native=16384 every=20 upto=$(($(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo) - 81920))
sleep 2
echo clear > $D/control
watch 28
head -n 12 $D/user/processes | note
equal "processes: own memory leaks" "$(verdict user-native)" leak
equal "processes: shared memory leaks" "$(verdict user-shmem)" leak
check "processes: whose heap grows is named" named mixer
check "processes: who loses files in memory is named" named compositor
for who in wallpaper launcher camera game; do check "processes: who does not is not: $who" not named $who; done
# shellcheck disable=SC2016	# awk's
check "processes: some of it is in swap" awk '$2 == "mixer" || $2 == "game" { kb += $4 } END { exit kb < 1024 }' $D/user/processes
# shellcheck disable=SC2086
kill $hogs
rmmod leakwatch
finish
