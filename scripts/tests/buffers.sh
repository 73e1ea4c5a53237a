# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash disable=SC2154	# start sets pid_NAME
# Runs in the guest: DMA-BUFs that are held, passed on and lost, and what the tables say of each.
# shellcheck source=scripts/ktap
. ./ktap

B=/sys/kernel/debug/leakwatch/buffers
D=/sys/kernel/debug/leakwatch
K=1024

# Everything that can make a buffer here; the last of them is what most is tried with.
heaps=lender
[ ! -e modules/vgem ] || while read -r module; do insmod modules/"$module"; done < modules/vgem
[ ! -e /dev/dri/card0 ] || heaps="$heaps vgem"
[ ! -e /dev/udmabuf ] || heaps="$heaps udmabuf"
for device in /dev/dma_heap/*; do [ ! -e "$device" ] || heaps="$heaps $device"; done
[ ! -e /dev/ion ] || heaps="$heaps ion:reserved ion:ion_system_heap"
heap=${heaps##* }

# name_of HEAP: what the tables call it
name_of() {
	case $1 in
	*/*) basename "$1" ;;
	ion:*) echo "${1#ion:}" ;;
	vgem) echo drm ;;
	*) echo "$1" ;;
	esac
}
name=$(name_of "$heap")

note() { sed 's/^/# /'; }
value() { awk -v name="$1" '$1 == name { print $2 }' $D/status; }

# begin NAME WORD...: run the words in the background
begin() {
	program=$1
	shift
	begun=$((begun + 1))	# no file is made twice
	./buffers name="$program" heap="$heap" "$@" ready="/tmp/$program.$begun" wait &
	eval "pid_$program=$!"
}

# start NAME WORD...: the same, and wait until they have got to the last
start() {
	begin "$@"
	for _ in $(seq 100); do [ ! -e "/tmp/$program.$begun" ] || return 0; sleep 0.1; done
	not_ok "$program gets ready"
}

# A scenario is told by the size of its buffers, in pages of 4 KB.
# live PAGES: state, fds, maps and references of the kernel's, of each
live() { awk -v size=$(($1 * 4 * K)) '$2 == size { printf "%s%s %d %d %d", sep, $4, $8, $9, $10; sep = "," }' $B/live; }

# orphans PAGES: count, KB, pid, name, alive, why
orphans() { awk -v size=$(($1 * 4 * K)) '$3 == size { printf "%d %d %s %s %s", $1, $2, $5, $6, $7; for (i = 10; i <= NF; i++) printf " %s", $i; print "" }' $B/orphans; }

# sum COLUMN: of the rows of class buffer in top
sum() { awk -v c="$1" '$3 == "buffer" { sum += $c } END { print sum + 0 }' $D/top; }

# holders PAGES: name and how, of each, sorted
holders() { awk -v size=$(($1 * 4 * K)) '$6 == size { print $3, $4 }' $B/holders | sort | paste -s -d , -; }

# load [PARAMETER...]: with all rows in top
# shellcheck disable=SC2119,SC2120
load() { insmod ./leakwatch.ko "$@" && echo rows 0 > $D/control; }

insmod ./lender.ko
check "loads" load
equal "class buffer is on" "$(value class_buffer)" on
for hook in dma_buf_export dma_buf_release dma_buf_fd dma_buf_get dma_buf_mmap_internal dma_buf_dynamic_attach \
	    dma_buf_detach; do
	equal "$hook is attached" "$(awk -v h=$hook '$1 == h && NF == 6 { print $4 }' $D/status)" attached
done
for f in heaps live orphans holders stacks; do
	equal "$f: first line" "$(head -n 1 $B/$f | cut -d : -f 1)" "# leakwatch 1 buffers/$f"
	equal "$f: mode" "$(stat -c %a $B/$f)" 400
done
cat $B/events > /tmp/events &
cat=$!


# --- held by processes that live

start open alloc=$((16 * 4 * K))
start mapped alloc=$((17 * 4 * K)) map close
start both alloc=$((18 * 4 * K)) map dup half
start forked alloc=$((19 * 4 * K)) map fork
start threaded alloc=$((20 * 4 * K)) thread close
start shared alloc=$((21 * 4 * K)) map share
start headless alloc=$((23 * 4 * K)) map leave close
start wide alloc=$((22 * 4 * K)) times=900 dup again fork
grep -v wide $B/live | note
grep -v wide $B/holders | note
equal "a descriptor that is not closed" "$(live 16)" "fd 1 0 0"
equal "a mapping that is not unmapped" "$(live 17)" "map 0 1 0"
equal "two descriptors and two parts of a mapping" "$(live 18)" "fd+map 2 2 0"
equal "what a child inherits" "$(live 19)" "fd+map 2 2 0"
equal "a thread with descriptors of its own closes one" "$(live 20)" "fd 1 0 0"
equal "two processes that share their descriptors" "$(live 21)" "fd+map 1 2 0"
equal "more holders than a walk expects" "$(live 22) $(grep -c wide $B/holders)" "fd 1802 0 0 1802"
equal "a process whose first thread has ended" "$(live 23) $(holders 23)" "map 0 1 0 headless map"
for pages in 16 17 18 19 20 21 22 23; do equal "is no orphan: $pages" "$(orphans $pages)" ""; done
equal "who has the descriptor" "$(holders 16)" "open fd"
equal "who has the mapping" "$(holders 17)" "mapped map"
equal "who has all of them" "$(holders 18)" "both fd,both fd,both map,both map"
equal "both processes" "$(awk -v s=$((19 * 4 * K)) '$6 == s { print $2 }' $B/holders | sort -u | wc -l)" 2
equal "its size, heap, pid and name" "$(awk -v s=$((16 * 4 * K)) '$2 == s { print $3, $6, $7 }' $B/live)" \
	"$name $pid_open open"

# kb PROGRAM: what user/processes says it holds; those of one name are one row while they are young
kb() { awk -v p="$1" '$2 == p { print $6 }' $D/user/processes; }

equal "what they hold, by process" "$(kb open) $(kb mapped) $(kb both) $(kb forked) $(kb wide)" "64 68 72 152 176"
equal "who holds none" "$(kb init)" 0

# --- each leak there is, of every exporter, and what the kernel itself says of its references

# truth PAGES: how many references the kernel counts
truth() { sed -E 's/(^|\t)0+([0-9])/\1\2/g' /sys/kernel/debug/dma_buf/bufinfo | awk -v size=$(($1 * 4 * K)) '$1 == size { print $4 }'; }

# agree PAGES: does the sum of ours say the same?
agree() { equal "$heap: as many references as the kernel counts: $1" "$(live "$1" | awk '{ print $2 + $3 + $4 }')" "$(truth "$1")"; }

# gone PAGES...: are they all released?
gone() { for pages; do live "$pages"; done; }

own=$heap own_name=$name
for heap in $heaps; do
	name=$(name_of "$heap")
	had=$(awk -v h="$name" '$1 == h { print $2 }' $B/heaps)
	start leaver alloc=$((24 * 4 * K))
	start mapper alloc=$((25 * 4 * K)) map close
	begin heir listen=heir
	start mother alloc=$((26 * 4 * K)) send=heir close
	start lasting alloc=$((27 * 4 * K)) keep close
	start placed alloc=$((28 * 4 * K)) path close
	sleep 0.5
	kill -9 "$pid_mother"
	sleep 0.5
	awk -v h="$name" 'FNR == 1 || $3 == h || $1 == h || $4 == h' $B/live $B/orphans $B/heaps | note
	equal "$heap: not closed" "$(live 24) $(holders 24) $(orphans 24)" "fd 1 0 0 leaver fd "
	equal "$heap: not unmapped" "$(live 25) $(holders 25) $(orphans 25)" "map 0 1 0 mapper map "
	equal "$heap: its creator died" "$(live 26) $(holders 26) $(orphans 26)" \
		"fd 1 0 0 heir fd 1 104 $pid_mother mother no creator died, others hold it"
	equal "$heap: kept by the kernel" "$(live 27) $(orphans 27)" \
		"kernel 0 0 1 1 108 $pid_lasting lasting yes only the kernel holds it"
	equal "$heap: its file is closed" "$(live 28) $(holders 28) $(orphans 28)" \
		"closed 0 0 0 - closed 1 112 $pid_placed placed yes its file is closed, yet it is not freed"
	equal "$heap: its name: 28" "$(awk -v s=$((28 * 4 * K)) '$2 == s { print $3 }' $B/live)" "$name"
	for pages in 24 25 26 27; do
		equal "$heap: its name: $pages" "$(awk -v s=$((pages * 4 * K)) '$2 == s { print $3 }' $B/live)" "$name"
		agree $pages
	done
	equal "$heap: five more" "$(awk -v h="$name" '$1 == h { print $2 }' $B/heaps)" $((had + 5))
	kill -9 "$pid_leaver" "$pid_mapper" "$pid_heir" "$pid_lasting" "$pid_placed"
	echo 1 > /sys/kernel/debug/lender/drop
	sleep 0.5
	equal "$heap: all released" "$(gone 24 25 26 27 28)" ""
	equal "$heap: and none is left" "$(awk -v h="$name" '$1 == h { print $2 }' $B/heaps)" "${had:-0}"
	made_of_all=$((made_of_all + 5))
done
heap=$own name=$own_name

# --- passed on

begin receiver listen=there
start sender alloc=$((32 * 4 * K)) map send=there close
sleep 0.5
equal "held by both" "$(holders 32)" "receiver fd,sender map"
equal "who made it lives" "$(orphans 32)" ""
kill -9 "$pid_sender"
sleep 0.5
equal "who made it is dead, the receiver has it" "$(orphans 32)" "1 128 $pid_sender sender no creator died, others hold it"
equal "by its descriptor" "$(live 32) $(holders 32)" "fd 1 0 0 receiver fd"
note < $B/orphans
kill "$pid_receiver"

# --- kept by the kernel

./buffers name=leaver heap="$heap" times=3 alloc=$((48 * 4 * K)) keep again & leaver=$!
wait $leaver
start keeper alloc=$((49 * 4 * K)) map keep keep close unmap
start poster alloc=$((50 * 4 * K)) post close
equal "the kernel has three that are alike, their process is gone" "$(orphans 48)" \
	"3 576 $leaver leaver no only the kernel holds it"
equal "three times one reference" "$(live 48)" "kernel 0 0 1,kernel 0 0 1,kernel 0 0 1"
equal "the kernel has one whose process lives" "$(orphans 49)" "1 196 $pid_keeper keeper yes only the kernel holds it"
equal "by two references" "$(live 49)" "kernel 0 0 2"
equal "holders says how many" "$(awk -v s=$((49 * 4 * K)) '$6 == s { print $2, $3, $4, $5 }' $B/holders)" "- - kernel 2"
equal "one that is under way in a socket" "$(live 50)" "kernel 0 0 1"

# --- sums

cat $B/heaps $B/orphans | note
for column in "2 $(awk '$1 ~ /^[0-9]+$/' $B/live | wc -l) LIVE" \
	      "3 $(awk '$1 ~ /^[0-9]+$/ { sum += $2 } END { print sum / 1024 }' $B/live) KB" \
	      "4 $(awk '$1 ~ /^[0-9]+$/ { sum += $1 } END { print sum }' $B/orphans) ORPHANS" \
	      "5 $(awk '$1 ~ /^[0-9]+$/ { sum += $2 } END { print sum }' $B/orphans) ORPHAN-KB"; do
	# shellcheck disable=SC2086	# words
	set -- $column
	equal "heaps has the sums of the others: $3" "$(awk -v h="$name" -v c="$1" '$1 == h { print $c }' $B/heaps)" "$2"
done
equal "top has the same bytes" "$(sum 6)" \
	"$(awk -v h="$name" '$1 == h { print $3 }' $B/heaps)"
equal "top: three of one size" "$(awk '$3 == "buffer" && $6 == 576 { print $5, $9, $10 }' $D/top)" "3 3 0"

# --- events: two readers, one that does not block, one that is slow

for program in open mapped both forked threaded shared headless wide keeper poster; do eval "kill -9 \$pid_$program"; done
killall -9 buffers
echo 1 > /sys/kernel/debug/lender/drop
sleep 1
equal "all released: none is live" "$(awk '$1 ~ /^[0-9]+$/' $B/live | wc -l)" 0
equal "no orphan is left" "$(grep '^# total' $B/orphans)" "# total: 0 orphans, 0 KB, of 0 buffers, 0 KB"
equal "top counts as many frees as allocations" "$(sum 9 && sum 10)" "$(printf '%d\n%d' $((14 + made_of_all)) $((14 + made_of_all)))"
equal "nothing was lost" "$(value lost_buffers_full) $(value unmatched_buffers) $(value missed_frees_buffers)" "0 0 0"
timeout 1 cat $B/events > /tmp/again
equal "events: who comes later sees the same" "$(md5sum < /tmp/again)" "$(md5sum < /tmp/events)"
note < /tmp/events
equal "events: every alloc has its release" "$(awk '$4 == "alloc" { live[$5] = 1; n++ } $4 == "release" && live[$5] { delete live[$5]; m++ }
	END { for (i in live) left++; print n - m, left + 0 }' /tmp/events)" "0 0"
# where a driver makes the descriptor by dma_buf_fd() there is one more event
made=$(awk '$5 == 1 && $4 == "fd" { print "fd "; exit }' /tmp/events)
equal "events: the life of one" "$(awk '$6 == 49 * 4096 { printf "%s ", $4 }' /tmp/events)" "alloc $made""map import import release "
start attacher alloc=$((58 * 4 * K)) attach
equal "events: a device is attached" "$(timeout 1 cat $B/events | awk '$6 == 58 * 4096 { printf "%s ", $4 }')" "alloc $made""import attach detach "
kill -9 "$pid_attacher"
sleep 0.5
check "events: the module is in use while they are read" sh -c '! rmmod leakwatch'
kill $cat
./buffers follow=$B/events > /tmp/follow & follower=$!
sleep 1
./buffers heap="$heap" alloc=4096
wait $follower
equal "events: one that does not block, by poll" "$(paste -s -d ' ' - < /tmp/follow)" "quiet waiting woken"
before=$(timeout 1 cat $B/events | grep -c '^ *[0-9]')
exec 3< $B/events
./buffers heap="$heap" times=2000 alloc=4096 map unmap close again
timeout 1 cat <&3 > /tmp/slow
exec 3<&-
all=$(awk 'NR > 2 && $1 ~ /^[0-9]/' /tmp/slow | wc -l)
lost=$(awk '$1 == "#" && $3 == "events" { print $2 }' /tmp/slow)
equal "events: a slow reader is told what it lost" "$all $((all + lost))" "2048 $((before + 6000 + (${#made} > 0 ? 2000 : 0)))"

# --- readers that ask for a few bytes, or go away in the midst of a line

start quoted alloc=$((56 * 4 * K)) map
some() { dd if="$B/$1" bs="$2" count="$3" 2> /dev/null; }
equal "events: by seven bytes it is the same" "$(some events 7 300 | md5sum)" "$(some events 2100 1 | md5sum)"
equal "holders: by seven bytes it is the same" "$(some holders 7 1000 | grep -v '^#')" "$(grep -v '^#' $B/holders)"
check "and it is more than the line of columns" test "$(grep -c quoted $B/holders)" -eq 2
for f in events holders; do
	equal "$f: three that go away get as much each" "$(for _ in 1 2 3; do some $f 130 1; done | wc -c)" 390
	equal "$f: and take nothing from others" "$(some $f 40 1)" "$(head -n 1 $B/$f | head -c 40)"
done
kill -9 "$pid_quoted"

# --- filters, and those that name nothing there is

start seen alloc=$((59 * 4 * K)) map
start other alloc=$((60 * 4 * K)) heap=lender alloc=$((61 * 4 * K))
id=$(awk -v s=$((59 * 4 * K)) '$2 == s { print $1 }' $B/live)
rows() { awk '$1 ~ /^[0-9]+$/ { printf "%s ", $2 / 4096 }' $B/live; }
# filtered FILTER PAGES...: are those the buffers that it leaves?
filtered() {
	check "filter $1" sh -c "echo filter $1 > $D/control"
	equal "filter $1: these are left" "$(rows)" "$2 "
	check "filter $1: the table says so" grep -q "^# filter: $1$" $B/live
}
equal "without one there are three" "$(rows)" "59 60 61 "
filtered "heap lender" 61
equal "heaps: that heap alone has any" "$(awk '$1 != "HEAP" && !/^#/ && $2 { print $1, $2 }' $B/heaps)" "lender 1"
equal "orphans: of it alone" "$(grep '^# total' $B/orphans)" "# total: 0 orphans, 0 KB, of 1 buffers, 244 KB"
filtered "heap $name" "59 60"
filtered "buffer $id" 59
equal "holders: of that buffer alone" "$(awk '$1 ~ /^[0-9]+$/ { print $3, $4 }' $B/holders | sort | paste -s -d , -)" "seen fd,seen map"
equal "top: its site alone" "$(awk '$1 ~ /^[0-9]+$/ { print $3, $5, $6 }' $D/top)" "buffer 1 236"
equal "stacks: its path alone" "$(grep -c ' times, ' $B/stacks)" 1
check "stacks: who made it" grep -q "size $((59 * 4 * K)), heap $name, by seen (process $pid_seen, thread $pid_seen, alive), exporter " $B/stacks
filtered "pid $pid_seen" 59
filtered "size $((60 * 4 * K))" 60
check "filter none" sh -c "echo filter none > $D/control"
kill -9 "$pid_seen" "$pid_other"
sleep 0.5
for setting in "filter heap nonsense" "filter heap" "filter buffer 4000000" "filter buffer $id" "filter buffer x" "filter pid none" \
	       "site 4000000000" "site $name"; do
	# shellcheck disable=SC2016	# for that shell to expand
	check "'$setting' is refused" sh -c '! echo "$1" > "$2"' sh "$setting" $D/control
done
check "and the log says what was expected" sh -c "dmesg | grep -q \"control: filter: 'heap nonsense' is not in its range: none, .*heap <HEAP of\""
equal "and no filter is set" "$(awk '$1 == "filter" || $1 == "site" { printf "%s ", $2 }' $D/control)" "0 none "

# --- an address space that is being changed is not waited for

./buffers name=changer heap="$heap" alloc=$((55 * 4 * K)) map busy wait & changer=$!
for _ in $(seq 100); do ! grep -q '^# 1 processes were busy' $B/live || break; sleep 0.1; done
equal "its descriptor is found, its mapping is not, and that is said" \
	"$(live 55) $(holders 55) $(grep -c '^# 1 processes were busy' $B/live)" "fd 1 0 1 - kernel,changer fd 1"
echo 1 > /sys/kernel/debug/lender/drop
sleep 0.5
equal "when it has changed nobody is skipped" \
	"$(live 55) $(holders 55) $(grep -c '^# 1 processes were busy' $B/live)" "fd+map 1 1 0 changer fd,changer map 0"
kill -9 $changer
sleep 0.5

# a mapping alone: nobody is found to hold the buffer, and it is no orphan all the same
./buffers name=changer heap="$heap" alloc=$((62 * 4 * K)) map close busy wait & changer=$!
for _ in $(seq 100); do ! grep -q '^# 1 processes were busy' $B/live || break; sleep 0.1; done
equal "who may be held by somebody who is busy is no orphan" "$(live 62) $(orphans 62)" "unsure 0 0 1 "
check "and that is said" grep -q '^# 1 buffers have nobody just now, but may have' $B/orphans
echo 1 > /sys/kernel/debug/lender/drop
sleep 0.5
equal "it is held by a mapping" "$(live 62) $(holders 62)" "map 0 1 0 changer map"
kill -9 $changer
sleep 0.5

# --- who has the pid of a creator that died is not it

./buffers name=first heap="$heap" alloc=$((51 * 4 * K)) keep & first=$!
wait $first
echo $((first - 1)) > /proc/sys/kernel/ns_last_pid
start second alloc=$((52 * 4 * K))
equal "the pid is used again" "$pid_second" "$first"
equal "and that is told" "$(orphans 51)" "1 204 $first first reused only the kernel holds it"
equal "the second lives" "$(orphans 52)" ""

# --- what ION's heap has yet to free: its thread is kept from a CPU

# deferred: live buffers and KB, and KB that are deferred, of that heap
deferred() { awk '$1 == "ion_system_heap" { print $2, $3, $7 }' $B/heaps; }

if [ -e /dev/ion ]; then
	for hook in ion_buffer_destroy ion_heap_freelist_add; do
		equal "$hook is attached" "$(awk -v h=$hook '$1 == h && NF == 6 { print $4 }' $D/status)" attached
	done
	thread=$(grep -l '^ion_system_heap' /proc/[0-9]*/comm | cut -d / -f 3)
	had=$(deferred | cut -d ' ' -f 1,2)
	start lazy heap=ion:ion_system_heap alloc=$((57 * 4 * K))
	echo -1 > /proc/sys/kernel/sched_rt_runtime_us
	check "its thread waits for CPU 1" taskset -p 2 "$thread"
	./buffers first=1 ready=/tmp/hog spin & hog=$!
	for _ in $(seq 100); do [ ! -e /tmp/hog ] || break; sleep 0.1; done
	kill -9 "$pid_lazy"
	for _ in $(seq 100); do [ "$(live 57)" ] || break; sleep 0.1; done
	equal "released, and yet to be freed" "$(deferred) $(live 57)" "$had 228 "
	equal "no orphan" "$(orphans 57) $(grep '^# deferred' $B/orphans)" " # deferred: 228 KB released, to be freed by their heaps"
	kill -9 $hog
	for _ in $(seq 100); do [ "$(deferred | cut -d ' ' -f 3)" != 0 ] || break; sleep 0.1; done
	equal "freed" "$(deferred)" "$had 0"
else
	equal "no heap frees later" "$(grep -c '^# deferred' $B/orphans) $(awk -v h="$name" '$1 == h { print $7 }' $B/heaps)" "0 -"
fi

# --- stop and start: what is older than the module

start older alloc=$((53 * 4 * K)) map close
echo stop > $D/control
equal "stopped: nobody looks" "$(live 53)" "- 0 0 0"
equal "stopped: no orphans are told" "$(awk '$1 ~ /^[0-9]/' $B/orphans | wc -l)" 0
equal "stopped: nor counted" "$(awk -v h="$name" '$1 == h { print $4, $5 }' $B/heaps) $(grep -c '^# total' $B/orphans)" "- - 0"
echo start > $D/control
equal "older: its holder is found" "$(live 53) $(holders 53)" "map 0 1 0 older map"
equal "older: and its heap, but not its age or creator" "$(awk -v s=$((53 * 4 * K)) '$2 == s { print $3, $5, $6, $7 }' $B/live)" "$name - - -"
equal "older: and says that it is" "$(awk -v s=$((53 * 4 * K)) '$2 == s { print $11 }' $B/live)" older
equal "older: what only the kernel holds is not found" "$(live 51)" ""
kill -9 "$pid_older" "$pid_second"
sleep 0.5
equal "older: released" "$(live 53) $(value unmatched_buffers)" " 0"
echo 1 > /sys/kernel/debug/lender/drop
equal "what was never known is not matched" "$(value unmatched_buffers)" 1
rmmod leakwatch

# --- sampled mode is none of its business

load
echo mode sampled > $D/control
start drawn alloc=$((55 * 4 * K))
echo mode exact > $D/control
equal "seen in sampled mode, and after it" "$(live 55)" "fd 1 0 0"
kill -9 "$pid_drawn"
sleep 0.5
equal "and its release" "$(live 55) $(value unmatched_buffers) $(value missed_frees_buffers)" " 0 0"
rmmod leakwatch

# --- full

check "loads with a small table" load buffers=64
start many times=100 alloc=4096 again
equal "full: 64 are stored" "$(value buffers_live) $(awk '$1 ~ /^[0-9]/' $B/live | wc -l)" "64 64"
equal "full: the rest is counted" "$(value lost_buffers_full)" 36
equal "full: and noted" "$(awk '$3 == "buffer" { print $5, $9, $15 }' $D/top)" "64 100 lost"
kill -9 "$pid_many"
sleep 1
equal "full: nothing is left" "$(value buffers_live) $(value unmatched_buffers)" "0 36"
equal "full: top comes out even" "$(awk '$3 == "buffer" { print $5 }' $D/top)" 0
rmmod leakwatch
check "buffers=1 is refused" sh -c '! insmod ./leakwatch.ko buffers=1'
check "classes=buffer" load classes=buffer
equal "the others are off" "$(value class_slab) $(value class_page) $(value class_buffer)" "off off on"

# --- hooks that come and go while buffers do

for _ in 1 2; do ./buffers heap="$heap" times=20000 alloc=4096 map unmap close again & done
# shellcheck disable=SC2016	# for that shell to expand
check "loads and unloads meanwhile" sh -c 'for i in 1 2 3 4 5; do rmmod leakwatch && insmod ./leakwatch.ko && cat $1/holders > /dev/null || exit 1; done' sh $B
killall -9 buffers
rmmod leakwatch
check "the driver can go" rmmod lender

# --- what ION calls its heap

insmod ./lender.ko ion=1
load
heap=lender
start ion alloc=$((54 * 4 * K))
equal "ION: the heap has its name" "$(awk -v s=$((54 * 4 * K)) '$2 == s { print $3, $7 }' $B/live)" "fake_heap ion"
equal "and is a row of heaps" "$(awk '$1 == "fake_heap" { print $2, $3 }' $B/heaps)" "1 216"
kill -9 "$pid_ion"
sleep 0.5
rmmod leakwatch
rmmod lender
finish
