# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest: ION's buffers and clients as they were until 4.11, beside a driver that has them: by its
# functions, and by the events that some boards have.
# shellcheck source=scripts/ktap
. ./ktap
# shellcheck source=scripts/tests/names.sh
. ./names.sh
I=/sys/kernel/debug/oldion

does() {
	case $1 in
	share|import) (echo "$2" > "$I/$1") ;;	# a process of its own, which takes its descriptor along
	*) echo "$2" > "$I/$1" ;;
	esac
}
hook() { awk -v name="$1" '$1 == name && NF == 6 { print $4 }' $D/status; }
# live ID: size, heap, state, clients, last event
live() { awk -v id="$1" '$1 == id { print $2, $3, $4, $10, $11 }' $D/buffers/live; }
rows() { grep -c '^ *[0-9]' "$D/buffers/$1"; }

check "loads without ION" load
equal "and none is merely detached" "$(awk '$4 == "detached"' $D/status | wc -l)" 0
equal "without it, its hooks are absent" "$(hook ion_free_buffer) $(hook ion_heap_freelist_add)" "absent absent"
check "and none is attached" test "$(hook ion_alloc)" != attached
equal "and class buffer is on" "$(value class_buffer)" on
check "nothing is said of what is not there" sh -c "! dmesg | grep 'leakwatch: ION'"
rmmod leakwatch

# lives DRIVER TYPE AGAIN LEFT: how it is hooked; how many clients a buffer seems to have when one of two has
# imported it once more, and when the other has given it up
lives() {
	driver=$1 type=$2 again=$3 left=$4
	check "$driver: the driver loads" insmod "./$driver.ko"
	check "loads" load
	for hook in ion_alloc ion_free_buffer ion_free_handle ion_import ion_client_creat ion_client_free \
		    ion_buffer_destroy ion_heap_freelist_add; do
		equal "$hook is attached" "$(hook $hook)" attached
	done
	equal "allocations are told of by a $type" "$(awk '$1 == "ion_alloc" && NF == 6 { print $2 }' $D/status)" "$type"
	cat $D/buffers/events > /tmp/events &
	reader=$!
	sleep 1
	does client 1
	does client 0
	does alloc 20000
	does alloc 4096
	equal "a buffer of one client" "$(live 1)" "20480 old_heap client 1 alloc"
	equal "another one" "$(live 2)" "4096 old_heap client 1 alloc"
	equal "neither is an orphan" "$(rows orphans)" 0
	equal "top has the first" "$(awk '$3 == "buffer" && /oldion/ { n += $5 } END { print n }' $D/top)" 2
	does share 0
	does share 0
	equal "shared twice it is one" "$(live 1) $(rows live)" "20480 old_heap client 1 fd 2"
	equal "and counts once" "$(awk '$1 == "old_heap" { print $2, $3 }' $D/buffers/heaps)" "2 24"
	does import 0
	equal "another client imports it" "$(live 1)" "20480 old_heap client 2 import"
	does import 0
	equal "again: it has it already" "$(live 1)" "20480 old_heap client $again import"
	does put 0
	equal "the first gives up its handle" "$(live 1)" "20480 old_heap client $left put"
	does put 100
	does put 100
	equal "the second, too" "$(live 1)" "20480 old_heap kernel 0 put"
	equal "it is an orphan" "$(awk '$1 == 1 { print $2, $3, $4, $10, $11, $12 }' $D/buffers/orphans)" "20 20480 old_heap only the kernel"
	does put 1
	equal "the other goes with its handle" "$(live 2)" ""
	does close 0
	equal "the first with what it was shared as" "$(rows live)" 0
	equal "nothing is live at its site" "$(awk '$3 == "buffer" && /oldion/ { n += $5 } END { print n + 0 }' $D/top)" 0
	equal "nothing was lost, missed or unknown" \
		"$(value lost_buffers_full)$(value lost_buffers_unread) $(value missed_frees_buffers) $(value unmatched_buffers)" "00 0 0"
	kill $reader
	equal "events are in order" "$(awk '$5 == 1 && $1 ~ /^[0-9]/ { printf "%s ", $4 }' /tmp/events)" \
		"alloc fd fd import import put put release "
	equal "a client without buffers came and went" "$(awk '$1 ~ /^[0-9]/ && $5 == "-" { printf "%s %s %s ", $4, $6, $7 }' /tmp/events)" \
		"client - - close - - "

	# The third is freed by its heap when that has time, the fourth by who puts it.
	deferred() { awk '$1 == "old_heap" { print $2, $3, $7 }' $D/buffers/heaps; }
	does alloc 12288
	does alloc 16384
	does defer 1
	equal "nothing is deferred" "$(deferred)" "2 28 0"
	does put 2
	equal "what nobody has is no buffer, but is still the heap's" "$(deferred) $(live 3)" "1 16 12 "
	equal "and no orphan" "$(rows orphans) $(grep '^# deferred' $D/buffers/orphans)" \
		"0 # deferred: 12 KB released, to be freed by their heaps"
	does defer 0
	does put 3
	equal "the fourth is freed at once" "$(deferred)" "0 0 12"
	does drain 1
	equal "the heap frees the third" "$(deferred)" "0 0 0"
	equal "each was freed once" "$(value lost_buffers_full)$(value lost_buffers_unread) $(value missed_frees_buffers) $(value unmatched_buffers)" "00 0 0"
	equal "by its site, too" "$(awk '$3 == "buffer" && /oldion/ { n += $5 } END { print n + 0 }' $D/top)" 0
	does alloc 8192
	if [ "$type" = tracepoint ]; then
		check "it stays while its events are heard" sh -c "! rmmod $driver"
		writes stop
		check "and goes when they are not" rmmod "$driver"
		check "leakwatch does without it" writes start
		equal "and so is without its hooks" "$(hook ion_alloc) $(hook ion_free_buffer)" "absent absent"
	fi
	check "leakwatch unloads" rmmod leakwatch
	[ "$type" = tracepoint ] || check "and the driver" rmmod "$driver"
}

# Its hooks all or none, and a word about it; structures that are others are counted.
check "a driver as before" insmod ./oldion.ko
check "loads without a hook that ION's need" load without=ion_free_handle
check "ION is off, and the log says why" logged 'leakwatch: ION is off: its hook ion_free_handle is left out'
equal "none of its hooks is attached, and DMA-BUF's are" "$(hook ion_free_buffer) $(hook dma_buf_release)" "detached attached"
check "unloads" rmmod leakwatch
check "loads" load
does alloc 4096
does odd 1
does alloc 8192
does odd 0
equal "a buffer that cannot be read is counted as lost, and is in no row" \
	"$(rows live) $(value lost_buffers_full) $(value lost_buffers_unread)" "1 0 1"
check "unloads" rmmod leakwatch
check "and the driver" rmmod oldion

lives oldion kretprobe 2 1
lives oldion_events tracepoint 3 2
# boards whose ION has events had no kprobes: there they alone tell of a descriptor
quiet insmod ./oldion_events.ko
check "loads without what tells of exports" load without=dma_buf_export
does alloc 4096
does share 0
equal "the event tells of it" "$(live 1)" "4096 old_heap client 1 fd"
does close 0
check "unloads" rmmod leakwatch
check "and the driver" rmmod oldion_events
finish
