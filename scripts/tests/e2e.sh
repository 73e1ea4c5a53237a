# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest: leakwatch beside a driver that leaks and says how much.
# shellcheck source=scripts/ktap
. ./ktap
# shellcheck source=scripts/tests/leak.sh
. ./leak.sh

refused() { ! quiet load "$@"; }
refuses() { ! writes "$@"; }

# --- what must not load

check "objects=100 is refused" refused objects=100
check "its line names the range" logged 'leakwatch: objects=100 is out of range (512 to '
check "sites=1 is refused" refused sites=1
check "depth=99 is refused" refused depth=99
check "its line names the range" logged 'leakwatch: depth=99 is out of range (1 to 32)'
check "grow=9 is refused" refused grow=9
check "classes=none is refused" refused classes=none
check "stacks=some is refused" refused stacks=some
check "backend=some is refused" refused backend=some
check "without=nonsense is refused" refused without=nonsense
check "objects=512 is refused: too few for this memory" refused objects=512
check "its line says how many it takes" logged 'leakwatch: objects=512 is too few for .* at least 65536'
check "without a needed hook in any class it is refused" refused without=kfree,mm_page_free,dma_buf_export
check "in one line that says so" logged 'leakwatch: nothing to watch'
check "nothing is left behind" test ! -e $D

# --- loading, files, settings

check "loads" load
equal "the directory is for root alone" "$(stat -c %a $D)" 700
for f in triage history top status slab/sites slab/stacks slab/caches page/sites page/stacks page/lost meminfo census \
	 user/processes; do
	equal "$f: mode" "$(stat -c %a $D/$f)" 400
	equal "$f: first line" "$(head -n 1 $D/$f | cut -d : -f 1)" "# leakwatch 1 $f"
done
equal "control: mode" "$(stat -c %a $D/control)" 600
equal "mark: mode" "$(stat -c %a $D/mark)" 600
for hook in kfree kmem_cache_free kmem_cache_free_bulk kvfree_call_rcu kmem_cache_destroy kmalloc \
	    kmem_cache_alloc kmem_cache_alloc_bulk mm_page_free folio_migrate_flags mm_page_alloc \
	    alloc_pages_bulk isolate_freepages alloc_contig_range; do
	equal "$hook is attached" "$(awk -v h=$hook '$1 == h && NF == 6 { print $4 }' $D/status)" attached
done
for bad in "stacks some" "depth 0" "depth 33" "depth" "rows -1" "filter cache" "nonsense" "stop now" \
	   "filter pid x" "interval 0" "interval 3601" "site x" "site 99999999" "$(printf '%070d' 0)"; do
	check "control refuses '$bad'" refuses "$bad"
done
check "control refuses two lines at once" refuses "$(printf 'filter module leaky\nrows 5')"
equal "and takes neither" "$(awk '$1 == "filter" { print $2 }' $D/control)" none
check "its line says that a word has no value" logged "control: stop takes no value, there is 'now'"
equal "and keeps depth" "$(awk '$1 == "depth" { print $2 }' $D/control)" 16
equal "and keeps stacks" "$(awk '$1 == "stacks" { print $2 }' $D/control)" all
check "its line names the value and the range" logged "control: depth: '33' is not in its range: 1 to 32"

# --- leaks of each kind, with churn and something innocent beside

leak kmalloc leaky_leak_kmalloc count=1000 churn=2000 innocent=50
[ "$short" ] || leak kmalloc leaky_leak_kmalloc count=500 size=100000
[ "$short" ] || leak kmalloc leaky_leak_kmalloc rate=2000 count=1000 churn=20000
leak cache leaky_leak_cache count=1000 churn=2000
leak page leaky_leak_page count=300 churn=1000
leak split leaky_leak_split count=200
if [ ! "$short" ]; then
	leak page leaky_leak_page count=20 order=4 churn=100
	leak vmalloc leaky_leak_vmalloc count=200 churn=200
	leak softirq leaky_leak_softirq rate=2000 count=1000
	leak rcu leaky_leak_rcu count=1000
fi

# --- paths without events: all freed, so nothing may be left

writes clear
[ "$short" ] && pairs=30 || pairs=200
check "blind: the driver loads" insmod ./leaky.ko kind=none count=0 rate=1 blind="$pairs"
writes 1 ../leaky/stop
check "blind: every path comes out even" truth
note < /tmp/truth
check "blind: nothing was lost" lossless
quiet rmmod leaky

# --- interrupts end a path

writes clear
insmod ./leaky.ko kind=softirq rate=5000 count=1000
sleep 1
# shellcheck disable=SC2016	# for awk to expand
check "a soft interrupt's path ends at its entry" awk '
	/ times, / { inside = 0 }
	index($1, "leaky_leak_softirq+") == 1 { inside = seen = 1 }
	ended && NF { bad = 1 }
	{ ended = 0 }
	inside && /__do_softirq/ { ended = 1 }
	END { exit bad || !seen }' $D/slab/stacks
equal "and has no pid" "$(row slab/sites leaky_leak_softirq | awk '{ print $14 }')" "-"
quiet rmmod leaky

# --- ids, marks, filters

writes clear
quiet insmod ./leaky.ko count=100
id=$(row slab/sites leaky_leak_kmalloc | awk '$5 == 100 { print $4 }')
cat $D/top $D/page/sites > /dev/null
equal "a row keeps its id" "$(row slab/sites leaky_leak_kmalloc | awk '$5 == 100 { print $4 }')" "$id"
equal "MARK-KB grows with the leak" "$(row slab/sites leaky_leak_kmalloc | awk '$5 == 100 { print $8 }')" \
	"$(row slab/sites leaky_leak_kmalloc | awk '$5 == 100 { print $6 }')"
check "and is something" test "$(row slab/sites leaky_leak_kmalloc | awk '$5 == 100 { print $8 }')" -ge 12
writes now mark
equal "and is 0 after a mark" "$(row slab/sites leaky_leak_kmalloc | awk '$5 == 100 { print $8 }')" 0
equal "mark says so" "$(awk '$2 == "default" { print $4, $5, $6 }' $D/mark)" "by a write"
writes "filter module leaky"
check "filter module: what has nothing to do with it is not" sh -c "! grep -q vm_area_alloc $D/slab/sites"
check "filter module: they are there" grep -q leaky_leak_kmalloc $D/top
check "filter module: metrics has the rows of top" test "$(sed -n 's/^leakwatch_site_bytes{.*id="\([0-9]*\)".*/\1/p' $D/metrics | sort | xargs)" = \
	"$(awk '$1 ~ /^[0-9]+$/ { print $4 }' $D/top | sort | xargs)"
check "filter module: page/lost does not add up to what is lost in all" sh -c "! grep -q 'older than leakwatch\|Total-lost' $D/page/lost"
writes "filter size 128"
equal "filter size: only that size" "$(awk '$1 ~ /^[0-9]+$/ { print $17 }' $D/slab/sites | sort -u)" 128
writes "filter none"
check "filter none: it is back" grep -q vm_area_alloc $D/slab/sites
writes "rows 3"
equal "rows: top has as many" "$(grep -c '^ *[0-9]' $D/top)" 3
writes "rows 40"
writes "site $id"
equal "site: its paths alone" "$(grep -c ' times, ' $D/slab/stacks) $(grep -c ", site $id," $D/slab/stacks)" "2 2"
check "site: the file says so" grep -q "^# paths of site $id alone" $D/slab/stacks
writes "site 0"
check "site 0: the others are back" test "$(grep -c ' times, ' $D/slab/stacks)" -gt 2

# --- for other programs

check "folded: each line is frames and bytes" sh -c "! grep -qvE '^(slab|page|buffer)(;[^;]+)+ [1-9][0-9]*\$' $D/folded"
equal "folded: as many bytes as the row has" "$(awk '/;leaky_leak_kmalloc \[leaky\] [0-9]+$/ { sum += $NF } END { print sum }' $D/folded)" \
	"$(row slab/sites leaky_leak_kmalloc | awk '{ sum += $5 * $17 } END { print sum }')"
check "folded: the root comes first" grep -q '^slab;.*;leaky_path_a \[leaky\];leaky_helper \[leaky\];leaky_leak_kmalloc \[leaky\] [0-9]*$' $D/folded
cat $D/metrics > /tmp/metrics
sed 's/^/metrics: /' /tmp/metrics	# to be read outside of the guest
# metric NAME LABEL: the value of the one that has it
metric() { awk -v name="leakwatch_$1{" -v label="$2" 'index($0, name) == 1 && index($0, label) { print $NF }' /tmp/metrics; }
equal "metrics: the row's bytes" "$(metric site_bytes "class=\"slab\",id=\"$id\"")" 12800
equal "metrics: its allocations" "$(metric site_allocs_total "id=\"$id\"")" 100
equal "metrics: nothing was lost" "$(awk '$1 == "leakwatch_lost_total" { print $2 }' /tmp/metrics)" 0
equal "metrics: of each place one verdict" "$(grep -c '^leakwatch_place_verdict.* 1$' /tmp/metrics)" 6
equal "metrics: the memory there is" "$(metric memory_bytes '"Memory-Total"')" \
	"$(awk '$1 == "Memory-Total" { print $2 * 1024 }' $D/meminfo)"
equal "metrics: as many sites as rows" "$(grep -c '^leakwatch_site_bytes{' /tmp/metrics)" "$(awk '$1 == "rows" { print $2 }' $D/control)"

# --- a module goes

rmmod leaky
left=100
[ ! -e /sys/kernel/debug/kmemleak ] || left='[1-9][0-9]*'	# it keeps an object for each
check "what it left is logged" logged "leakwatch: module leaky was unloaded and left $left objects"
check "the row keeps its name" sh -c "grep -q 'unloaded.*leaky_leak_kmalloc.*\[leaky\]' $D/slab/sites"
quiet insmod ./leaky.ko count=7
equal "the same code loaded again is another site" \
	"$(row slab/sites leaky_leak_kmalloc | awk '$5 == 7 && $15 == "-"' | wc -l)" 1
quiet rmmod leaky
quiet insmod ./leaky.ko kind=cache count=10
quiet rmmod leaky

# --- verdicts: what leaks is named, what churns or has filled up is not

verdict() { row "$1" "$2" | awk '{ print $2; exit }'; }

check "triage: it fits 80 columns and 24 lines" awk 'length > 80 { bad = 1 } END { exit bad || NR > 24 || !NR }' $D/triage
equal "triage: the six places" "$(awk '$1 == "VERDICT" { printf "%s ", $2 }' $D/triage)" \
	"slab page buffer user-java user-native user-shmem "
if [ ! "$short" ]; then
	writes "interval 1"
	writes clear
	quiet insmod ./leaky.ko rate=50 count=0 churn=3000 innocent=100
	date -s "2038-01-01 00:00:00" > /dev/null	# a clock that leaps is no time that passes
	sleep 1
	equal "judge: at first it is unknown" "$(verdict slab/sites leaky_leak_kmalloc)" unknown
	check "judge: triage says that it is too early" grep -q "^VERDICT slab unknown .* samples" $D/triage
	sleep 27
	equal "judge: the leak" "$(verdict top leaky_leak_kmalloc)" leak
	equal "judge: it is first" "$(first)" leaky_leak_kmalloc
	equal "judge: churn is none" "$(verdict slab/sites leaky_churn_kmalloc | grep -c leak)" 0
	equal "judge: what has filled up is none" "$(verdict slab/sites leaky_innocent)" steady
	growth=$(row slab/sites leaky_leak_kmalloc | awk '{ print $7; exit }')
	check "judge: its growth is 50 times 128 bytes a second" test "$growth" -gt 18000 -a "$growth" -lt 27000
	date -s "2001-01-01 00:00:00" > /dev/null
	grep -E "^(Slab|Sysfre) " $D/meminfo | note
	# shellcheck disable=SC2016	# for awk to expand
	check "judge: Slab has a growth in meminfo, too" awk '$1 == "Slab" { ok = $5 > 0 } END { exit !ok }' $D/meminfo
	check "judge: its paths say so" grep -q 'id .*, leak, [0-9]* KB/h, allocs' $D/slab/stacks
	check "judge: its cache grows" sh -c "grep -q '^kmalloc-128 .* growing$' $D/slab/caches"
	cp $D/triage /tmp/triage
	note < /tmp/triage
	check "triage: slab leaks" grep -q '^VERDICT slab leak [0-9]* KB [0-9]* KB/h 99% since [0-9]*s explains [0-9]*%$' /tmp/triage
	check "triage: page does not" sh -c "! grep -q '^VERDICT page leak' /tmp/triage"
	check "triage: the first suspect is the driver's" grep -q '^1[.] leak, slab id [0-9]*: .* driver leaky$' /tmp/triage
	check "triage: and its path" grep -q ' < leaky_helper < leaky_path_a' /tmp/triage
	equal "triage: churn is not named" "$(grep -c leaky_churn /tmp/triage)" 0
	check "triage: it fits" awk 'length > 80 { bad = 1 } END { exit bad || NR > 24 || !NR }' /tmp/triage
	# shellcheck disable=SC2016	# for awk to expand
	check "history: its points rise" awk '$NF == "[leaky]" && /leaky_leak_kmalloc/ {
		n = split($7, p, ","); for (i = 2; i <= n; i++) { split(p[i], a, ":"); split(p[i - 1], b, ":"); bad += a[2] < b[2] }
		seen += n > 20 } END { exit bad || !seen }' $D/history
	check "status: samples are counted" test "$(value samples)" -ge 20
	quiet rmmod leaky
	writes clear
	quiet insmod ./leaky.ko kind=none count=0 rate=1 churn=3000
	sleep 20
	cp $D/triage /tmp/triage
	note < /tmp/triage
	check "judge: churn alone is no leak" grep -q '^# Nothing leaks, in' /tmp/triage
	equal "judge: and is no suspect" "$(grep -c leaky /tmp/triage)" 0
	quiet rmmod leaky

	# --- zoom: paths for what grows, and no more than the budget

	writes "zoom 20"
	writes "stacks zoom"
	writes "interval 10"	# not before it is looked at
	writes clear
	quiet insmod ./leaky.ko rate=50 count=0
	equal "zoom: at first there are no paths" "$(value zoomed_paths) $(paths leaky_helper leaky_leak_kmalloc)" "0 0"
	writes "interval 1"
	sleep 14
	check "zoom: what grows has paths" test "$(paths leaky_helper leaky_leak_kmalloc)" -ge 20
	at_most "zoom: not more than the budget" "$(value zoomed_paths)" 400
	check "zoom: what is beyond it is counted" test "$(value zoomed_without_path)" -gt 0
	check "zoom: and is in the row all the same" test "$(live leaky_leak_kmalloc)" -ge 500
	check "zoom: nothing is lost" lossless
	quiet rmmod leaky
	writes "stacks all"
	writes "zoom 1000"
	writes "interval 10"
fi

# --- stacks off, stop and start

writes "stacks off"
writes clear
quiet insmod ./leaky.ko count=50
check "stacks off: every figure is the driver's" truth
quiet rmmod leaky
writes "stacks all"
writes stop
events=$(awk '$1 == "kmalloc" && NF == 6 { print $5 }' $D/status)
equal "stopped: no hook is attached" "$(awk '$4 == "attached"' $D/status | wc -l)" 0
quiet insmod ./leaky.ko count=50
quiet rmmod leaky
equal "stopped: nothing is counted" "$(awk '$1 == "kmalloc" && NF == 6 { print $5 }' $D/status)" "$events"
check "stopped: tables can be read" grep -q leaky_leak_kmalloc $D/slab/sites
check "stopped: no class is called off" sh -c "! grep -q 'is off' $D/triage"
since() { awk '$1 == "lost-pages" { print $4, $5 }' $D/census; }
check "stopped: page/lost is by who had it then" grep -q '^# stopped: what is lost now, by who had it at the stop' $D/page/lost
check "stopped: and does not tell what is older" sh -c "! grep -q 'older than leakwatch\|Total-lost' $D/page/lost"
equal "stopped: nor does census" "$(since)" "- -"
writes start
check "started: census tells what is older" sh -c "echo $(since) | grep -q '^[0-9]* [0-9]*$'"
check "started: what was is forgotten" sh -c "! grep -q leaky_leak_kmalloc $D/slab/sites"
quiet insmod ./leaky.ko count=50
check "started: every figure is the driver's" truth
quiet rmmod leaky
writes clear
check "cleared: nothing is left of it" sh -c "! grep -q leaky_leak_kmalloc $D/slab/sites"

# --- an audit finds nothing where nothing is, and what frees left that were not heard

quiet insmod ./leaky.ko count=50 blind=20
sleep 1
writes audit
equal "audit: nothing is dropped that is live" "$(value audit_dropped_objects) $(value audit_dropped_pages)" "0 0"
check "audit: it looked at all there is" test "$(value audit_objects)" -ge 50
check "audit: every figure is the driver's" truth
quiet rmmod leaky
writes stop
check "audit: refused when stopped" refuses audit
check "and the log says why" logged "control: stopped; an audit is made while watching"
[ -z "$(awk '$1 == "Memory-Total" { print $4 }' $D/meminfo | tr -d -- -)" ] || stood=1
writes clear
equal "cleared when stopped: nothing is the growth since a mark that is no more" "${stood:-0} $(awk '$1 == "Memory-Total" { print $4 }' $D/meminfo)" "1 -"
rmmod leakwatch
check "loads deaf to two kinds of free" load without=kvfree_call_rcu,kmem_cache_free_bulk
check "and says so" grep -q "# frees by kvfree_call_rcu are not heard: live figures may be too high" $D/top
check "the driver takes the paths that are not heard" insmod ./leaky.ko count=1 blind=200
quiet rmmod leaky	# with its cache, whose pages go
check "leakwatch's own init section keeps its name" sh -c "grep -A 1 '^  lw_report_init+' $D/slab/stacks | grep -q '^  leakwatch_init+'"
equal "and is not taken for what is there now" "$(grep -A 1 '^  lw_report_init+' $D/slab/stacks | grep -c leaky_)" 0
quiet insmod ./leaky.ko count=50
sleep 2
# fewer than 200, where addresses have come back meanwhile
phantoms=$(live leaky_blind_kfree_rcu_cache)
check "deaf: there are phantoms" test "$phantoms" -ge 100
writes audit
equal "audit: those whose pages are gone are dropped" "$(live leaky_blind_kfree_rcu_cache)" 0
check "audit: status says how many" test "$(value audit_dropped_objects)" -ge "$phantoms"
check "audit: the row says so" grep -q 'missed.*leaky_blind_kfree_rcu_cache' $D/slab/sites
equal "audit: what is live stays, and what the module left" "$(live leaky_leak_kmalloc)" 51
quiet rmmod leaky

# --- where all memory is

# census KIND: how many pages are of it
census() { awk -v kind="$1" '$1 == kind { print $2 }' $D/census; }
# near NAME ONE TWO LIMIT: whole numbers that differ by no more
near() { echo "# $1: $2 and $3"; at_most "$1" "$(($2 > $3 ? $2 - $3 : $3 - $2))" "$4"; }
# lost FUNCTION: how many pages of it are lost; grown FUNCTION: and by how many KB since the mark
lost() { row page/lost "$1" | awk '{ sum += $5 } END { print sum + 0 }'; }
grown() { row page/lost "$1" | awk '{ sum += $8 } END { print sum + 0 }'; }
whole() {
	awk 'columns && $1 == "total" { total = $2 }
	     columns && $1 != "total" { sum += $2 }
	     $1 == "KIND" { columns = 1 }
	     END { exit !total || sum != total }' $D/census
}
quick() { awk -v limit="${short:+500}" '/looked at in/ { ok = $5 < (limit ? limit : 50) } END { exit !ok }' $D/census; }
comes_out() {
	awk 'NF > 5 { kb[$1] = $2 }
	     $6 == "used" { used += $2 }
	     $6 == "freed" { freed += $2 }
	     END { exit !used || used != kb["Total-used"] || freed != kb["Total-freed"] ||
		   kb["Memory-Total"] - used - freed != kb["Total-lost"] }' $D/meminfo
}
agree() {
	awk '$1 ~ /^Total-lost/ { by[$1] = $2; print }
	     END { off = by["Total-lost"] - by["Total-lost-census"]; exit !by["Total-lost"] || off > 8192 || off < -8192 }' $D/meminfo
}
rated() { awk '$1 == "pgfault" { ok = $3 ~ /^[0-9]+$/ } END { exit !ok }' $D/meminfo; }
# marked: the names of all marks, that which is chosen with a star
marked() { awk '$1 ~ /^[0-9]+$/ { printf "%s%s%s", sep, $2, $3 == "yes" ? "*" : ""; sep = " " }' $D/mark; }

rmmod leakwatch
check "loads" load
check "census: the parts are the whole" whole
check "census: 1 GB in less than 50 ms, ten times that where the kernel checks itself" quick
# of each page, 16 digits: bit 10 is a free block, bit 7 slab
flags=$(od -An -v -t x8 -w8 /proc/kpageflags | awk '
	substr($1, 14, 1) ~ /[4-7c-f]/ { free++ }
	substr($1, 15, 1) ~ /[89a-f]/ { slab++ }
	END { print free + 0, slab + 0 }')
near "census: free blocks are the kernel's" "$(census free)" "${flags% *}" 2000
near "census: slab is the kernel's" "$(census slab)" "${flags#* }" 200
near "census: free blocks are MemFree" "$(census free)" "$(awk '$1 == "nr_free_pages" { print $2 }' /proc/vmstat)" 2000
check "census: large kmallocs are at most what slab has besides" test \
	"$(census large-kmalloc)" -le "$(($(awk '/^nr_slab/ { sum += $2 } END { print sum }' /proc/vmstat) - ${flags#* } + 500))"
check "meminfo: the equation comes out" comes_out
check "meminfo: lost by counters is lost by census, but for 8 MB" agree
equal "meminfo: Memory-Total" "$(awk '$1 == "Memory-Total" { print $2 }' $D/meminfo)" \
	"$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)"
check "meminfo: the second reading has a change a second" rated
quiet insmod ./leaky.ko kind=page count=300 churn=1000
equal "lost: pages that leak, all of them" "$(lost leaky_leak_page)" 300
# ages: of the driver's row, in both tables; that of page/lost is read first
ages() { echo "$(row page/lost leaky_leak_page | cut_ages) $(row page/sites leaky_leak_page | cut_ages)"; }
cut_ages() { awk '{ print $11, $12, $13 }'; }
sleep 3
check "lost: ages are those of page/sites, but for a second or two" sh -c \
	"echo $(ages) | awk '{ for (i = 1; i < 4; i++) if (\$i !~ /^[0-9]+\$/ || \$(i + 3) < \$i || \$(i + 3) > \$i + 2) exit 1
		exit \$3 < 2 }'"
equal "lost: none that were freed" "$(lost leaky_churn_page)" 0
check "lost: it says how much of it that explains" grep -q '^# .* is explained by [0-9]* site' $D/page/lost
equal "lost: what is older is the last line" "$(tail -n 1 $D/page/lost | awk '{ print $(NF - 2), $(NF - 1), $NF }')" \
	"(older than leakwatch)"
writes now mark
equal "lost: nothing since the mark" "$(grown leaky_leak_page)" 0
quiet rmmod leaky
quiet insmod ./leaky.ko kind=page count=40 order=4
equal "lost: blocks, every page of them" "$(lost leaky_leak_page)" 940
equal "lost: MARK-KB is what was lost since" "$(grown leaky_leak_page)" 2560
check "census: so does that of pages that are lost" test \
	"$(awk '$1 == "lost-pages" { print $6 }' $D/census)" -ge 2400
quiet rmmod leaky
quiet insmod ./leaky.ko kind=vmalloc count=50
equal "lost: vmalloc" "$(lost leaky_leak_vmalloc)" 200
quiet rmmod leaky
quiet insmod ./leaky.ko kind=kmalloc count=1000
equal "lost: no objects" "$(lost leaky_leak_kmalloc)" 0
quiet rmmod leaky
large=$(census large-kmalloc)
quiet insmod ./leaky.ko kind=kmalloc count=30 size=100000
equal "lost: no large ones either" "$(lost leaky_leak_kmalloc)" 0
check "census: they are large kmallocs" test "$(($(census large-kmalloc) - large))" -ge 960
quiet rmmod leaky

# --- processes

# anon PID: the KB of anonymous memory of a process, as we see it
anon() { awk -v pid="$1" '$1 == pid { print $3 }' $D/user/processes; }
# What is new is one row a name, so that it has one of its own.
ln -s /bin/busybox /tmp/busybox-hog
cat > /tmp/hog.sh <<'HOG'
x=$(head -c "$1" /dev/zero | tr '\0' x)
: > "/tmp/hog.$$"
sleep 600
echo "$x"
HOG
hog() { /tmp/busybox-hog sh /tmp/hog.sh "$1" & }
settled() { for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ -e "/tmp/hog.$1" ] && break; sleep 1; done; }
hog_grew() { awk -v pid=$hog '$1 == pid { ok = $8 >= 7812 && $2 == "busybox-hog" && $9 == 1 } END { exit !ok }' $D/user/processes; }
init_still() { awk '$1 == 1 { ok = $8 <= 500 } END { exit !ok }' $D/user/processes; }
writes now mark
hog 8000000
hog=$!
settled $hog
near "processes: what one holds is what the kernel says" "$(anon $hog)" \
	"$(awk '$1 == "RssAnon:" { print $2 }' /proc/$hog/status)" 600
check "processes: and it has grown by that since the mark" hog_grew
check "processes: the one that was there has not" init_still
equal "processes: no thread of the kernel" "$(grep -c kthreadd $D/user/processes)" 0
hog 2000000
more=$!
settled $more
equal "processes: new ones of a name are one row" "$(awk '$1 == "-" && $2 == "busybox-hog" { print $9 }' $D/user/processes)" 2
kill $hog $more
wait $hog $more 2>/dev/null
equal "processes: gone is gone" "$(grep -c busybox-hog $D/user/processes)" 0

# --- marks with names

writes clear
equal "marks: one" "$(marked)" "default*"
writes boot mark
quiet insmod ./leaky.ko kind=page count=100
writes after mark
equal "marks: the last is chosen" "$(marked)" "default boot after*"
equal "marks: nothing since then" "$(grown leaky_leak_page)" 0
check "marks: another is chosen" writes "mark boot"
equal "marks: since then" "$(grown leaky_leak_page)" 400
check "marks: the tables name it" grep -q "mark boot set" $D/top
for bad in "mark" "mark none" "mark drop none" "mark drop default" "mark boot now"; do
	check "marks: control refuses '$bad'" refuses "$bad"
done
check "marks: its line names what there is none of" logged "control: mark: 'none' is not in its range"
check "marks: one is dropped" writes "mark drop boot"
equal "marks: the last is chosen again" "$(marked)" "default after*"
for i in 1 2 3 4 5 6; do writes "n$i" mark; done
check "marks: there is an end to them" refuses more mark
check "and the log says how to go on" logged "mark: there are 8 marks; echo mark drop <name> > control"
writes clear-but-marks
equal "marks: they stay if that is asked for" "$(marked)" "after n1 n2 n3 n4 n5 n6 default*"
writes clear
equal "marks: else they go" "$(marked)" "default*"
writes 1 mark
equal "marks: what is no name is for the default" "$(marked)" "default*"
quiet rmmod leaky

# --- the table of objects grows before it is full: what is left when the driver goes is the first half

rmmod leakwatch
if [ ! "$short" ]; then
	lives() { row slab/sites leaky_leak_kmalloc | awk '{ print $5 }' | sort -n | xargs; }
	check "loads with the smallest table of objects" load objects=65536
	equal "growth: it may become four times as large" "$(value objects_max) $(value objects_limit)" "65536 262144"
	kb=$(value objects_kb)
	quiet insmod ./leaky.ko count=50000
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		[ "$(value objects_max)" = 65536 ] || break
		sleep 1
	done
	equal "growth: filled to 76 % it has become twice as large" "$(value objects_max)" 131072
	equal "growth: its memory, too" "$(value objects_kb)" $((kb + 512))
	check "growth: the log says so" logged 'leakwatch: the table of objects was .* has grown to 131072'
	quiet rmmod leaky
	quiet insmod ./leaky.ko count=50000
	equal "growth: every object is there" "$(lives)" "50000 50000"
	check "growth: nothing was lost" lossless
	writes audit
	check "growth: an audit sees all" test "$(value audit_objects)" -ge 100000
	equal "growth: and drops none" "$(value audit_dropped_objects)" 0
	writes 1 ../leaky/free
	equal "growth: what is freed is gone" "$(lives)" "0 50000"
	check "growth: nothing was lost of it" lossless
	quiet rmmod leaky
	writes clear
	equal "growth: a clear undoes it" "$(value objects_max) $(value objects_kb)" "65536 $kb"
	rmmod leakwatch
fi

# --- full tables say so

if [ ! "$short" ]; then
	check "loads with a table of objects that does not grow" load objects=65536 grow=1
	equal "its limit is its size" "$(value objects_limit)" 65536
	quiet insmod ./leaky.ko count=80000
	check "the full table is counted" test "$(value lost_live_full)" -gt 14000
	check "and noted at the row" sh -c "grep leaky_leak_kmalloc $D/slab/sites | grep -q lost"
	equal "what was stored and what was lost is all" \
		"$(row slab/sites leaky_leak_kmalloc | awk '{ print $9 }')" 80000
	check "the table can be filled" test "$(value objects_load_percent)" -ge 98
	equal "it has not grown" "$(value objects_max)" 65536
	writes 1 ../leaky/free
	equal "frees were not dropped" "$(row slab/sites leaky_leak_kmalloc | awk '{ print $5 }')" 0
	equal "nothing was taken twice" "$(value lost_free) $(value lost_move)" "0 0"
	quiet rmmod leaky
	rmmod leakwatch
fi
check "loads with the smallest table of sites" load sites=64
quiet insmod ./leaky.ko count=1000
check "folded paths are counted" test "$(value folded_paths)" -gt 0
check "and noted at the row" grep -q folded $D/slab/sites
check "what found no site is counted" test "$(value lost_sites_full)" -gt 0
quiet rmmod leaky
rmmod leakwatch

# --- unloading under load

sh ./loads.sh 30 & loads=$!
# shellcheck disable=SC2016	# for that shell to expand
check "ten loads and unloads under load" sh -c '
	for i in 1 2 3 4 5 6 7 8 9 10; do
		insmod ./leakwatch.ko '"$parameters"' || exit 1
		[ $((i % 2)) = 0 ] || cat /sys/kernel/debug/leakwatch/top > /dev/null
		rmmod leakwatch || exit 1
	done'
kill $loads

finish
