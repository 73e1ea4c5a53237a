# SPDX-License-Identifier: GPL-2.0
# books-frames.awk: leakwatch's page frames against the flags that any kernel has for each frame.
#
#	awk -f books-frames.awk [-v u0=N -v l0=N -v u1=N -v l1=N] part=a A part=a2 A2 part=f0 F0 part=f1 F1 \
#	    [part=f2 F2 part=a3 A3] part=vmstat VMSTAT part=z0 ZONES0 part=z1 ZONES1
#
# In this order. F is od -An -v -tx8 -w8 /proc/kpageflags, a frame a line; A is page/live; u and l
# are unmatched_pages and pages_live of status, read after a stat_refresh and before ZONES
# (/proc/zoneinfo). Read so: insmod, F0, u0, l0, ZONES0, ..., A, F1, u1, l1, ZONES1, VMSTAT
# (/proc/vmstat), A2; and some seconds later F2, A3. F1 best goes to a file that is there already, and
# who reads it stays until F2 is read: his own page tables are in F1 and A2, and not again in F2.
#
# What the flags can tell: that a frame is free (BUDDY: of every frame of a free block), that it holds
# slab objects, that it is in use (LRU, MMAP, ANON, PGTABLE, of a compound page). A frame without
# any of them is either plain kernel memory or free on a CPU's list: "plain".
#
# What must not be: PHANTOM, in A and A2, the same, and free in F1. MISSING, free in F0, a slab's, a page
# table's or of a compound page in F1 (and still in F2), and in none of A and A2 (nor in A3). SLAB, a
# slab's frame that is not of site 1. BACKING, of site 1, and neither a slab's nor of a
# compound page nor plain (a large kmalloc). PLAIN, more plain frames that were free in F0 and are
# not ours than the CPUs' lists have. NR_SLAB, vmstat's slab pages are not between the slabs' frames
# and these and those of compound pages (large kmallocs are counted with them). SUM, what was in
# use at load, less what was freed of it, is not, within 64, what is in use now and not ours; where
# compaction ran, its unused targets are among the unmatched. Any of them: exit status 1.
#
# What may be: moved, free in F0 and a user's page now, that is not ours: it is from before the load, and
# was migrated there. SUM says whether that can be so.

BEGIN { two[0] = 1; two[1] = 2; two[2] = 4; two[3] = 8 }	# busybox may be without powers

function digit(word, bit) {
	return index("0123456789abcdef", substr(word, length(word) - int(bit / 4), 1)) - 1
}
function has(word, bit) { return int(digit(word, bit) / two[bit % 4]) % 2 }

# what WORD: none, reserved, free, slab, used, compound or plain
function what(word) {
	if (has(word, 20))
		return "none"
	if (has(word, 32))
		return "reserved"
	if (has(word, 10))
		return "free"
	if (has(word, 7))
		return "slab"
	if (has(word, 5) || has(word, 11) || has(word, 12))
		return "user"
	if (has(word, 26) || has(word, 24) || has(word, 23))
		return "used"
	if (has(word, 15) || has(word, 16))
		return "compound"
	return "plain"
}

function differs(kind, pfn, text) {
	bad[kind]++
	if (++listed[kind] <= 50)
		list[nr_list++] = kind " " pfn " " text
}

part == "f0" {
	if (!($0 in class))
		class[$0] = what($1)
	is = class[$0]
	if (is == "free")
		free0[FNR - 1]
	all0[is]++
	next
}
part == "f1" {
	if (!($0 in class))
		class[$0] = what($1)
	is = class[$0]; pfn = FNR - 1
	all[is]++
	if (is == "none" || is == "reserved") {
		if (pfn in both)
			differs("PHANTOM", pfn, "id " a[pfn] " flags " $1)
		next
	}
	was = pfn in free0 ? "free" : "inuse"
	if (pfn in both) {
		ours[is]++
		if (a[pfn] == 1) {
			backing[is]++
			if (is == "used" || is == "user")
				differs("BACKING", pfn, "flags " $1)
		} else if (is == "slab")
			differs("SLAB", pfn, "id " a[pfn] " flags " $1)
		if (is == "free")
			free_now[pfn]
		next
	}
	if (pfn in a || pfn in a2) { fresh[is]++; next }
	not_ours[is " " was]++
	if (was == "free" && (is == "slab" || is == "used" || is == "compound"))
		suspect[pfn] = $0
	else if (was == "free" && is == "user")
		moved++
	next
}
part == "f2" {
	if (FNR - 1 in suspect) {
		if (!($0 in class))
			class[$0] = what($1)
		if (class[$0] == class[suspect[FNR - 1]])
			still[FNR - 1]
	}
	next
}
part ~ /^a/ {
	if (/^#/) {
		if (match($0, /watching for [0-9]+/))
			watch[part] = substr($0, RSTART + 13, RLENGTH - 13) + 0
		next
	}
	if ($1 !~ /^[0-9]/)
		next
	if (part == "a") {
		a[$1] = $2; age[$1] = $3; nr_a++
	} else if (part == "a2") {
		nr_a2++
		if ($1 in a && a[$1] == $2 && $3 + 2 >= age[$1] + watch["a2"] - watch["a"])
			both[$1]
		else
			a2[$1] = $2
	} else
		delete still[$1]
	next
}
part == "vmstat" && /^nr_slab_/ { nr_slab += $2 }
part == "vmstat" && /^nr_free_pages / { nr_free = $2 }
part == "vmstat" && /^compact_isolated / { compacted = $2 }
part == "z0" && $1 == "count:" { on_lists0 += $2 }
part == "z0" && $1 == "nr_free_pages" { in_blocks0 += $2 }
part == "z1" && $1 == "count:" { on_lists += $2 }
part == "z1" && $1 == "nr_free_pages" { in_blocks += $2 }

END {
	for (pfn in free_now)
		differs("PHANTOM", pfn, "id " a[pfn] " age " age[pfn])
	for (pfn in suspect)
		if (watch["a3"] == "" || pfn in still)
			differs("MISSING", pfn, "flags " suspect[pfn] " " class[suspect[pfn]])
		else
			late++
	slack = fresh["slab"] + fresh["compound"] + 32
	if (all["slab"] > nr_slab + slack || all["slab"] + all["compound"] < nr_slab - slack)
		differs("NR_SLAB", "-", all["slab"] " and " all["compound"] " by flags, " nr_slab " in vmstat")
	slack = fresh["plain"] + fresh["free"] + 64
	if (not_ours["plain free"] > on_lists + slack)
		differs("PLAIN", "-", not_ours["plain free"] " not ours, the CPUs' lists have " on_lists)
	printf "%-10s %9s %9s %9s %9s %9s %9s\n", "FRAMES", "at load", "now", "ours", "changing", "old", "new"
	n = split("free slab user used compound plain", kinds, " ")
	for (i = 1; i <= n; i++) {
		is = kinds[i]
		printf "%-10s %9d %9d %9d %9d %9d %9d\n", is, all0[is], all[is], ours[is], fresh[is], \
			not_ours[is " inuse"], not_ours[is " free"]
		sum0 += all0[is]; sum += all[is]; sum_ours += ours[is]; sum_fresh += fresh[is]
		sum_old += not_ours[is " inuse"]; sum_new += not_ours[is " free"]
	}
	printf "%-10s %9d %9d %9d %9d %9d %9d\n", "(all)", sum0, sum, sum_ours, sum_fresh, sum_old, sum_new
	printf "slab: %d ours + %d old + %d changing = %d, vmstat %d with large kmallocs; site 1: %d slab, %d compound, %d plain\n", \
		ours["slab"], not_ours["slab inuse"], fresh["slab"], all["slab"], nr_slab, backing["slab"], \
		backing["compound"], backing["plain"]
	printf "free: %d, vmstat %d; plain that were free and are not ours: %d, the CPUs' lists have %d\n", \
		all["free"], nr_free, not_ours["plain free"], on_lists
	if (u1 != "") {
		# pages go between free blocks and lists meanwhile: both at once, not as the flags have them
		before = sum0 - in_blocks0 - on_lists0 - l0
		after = sum - in_blocks - on_lists - l1
		off = before - (u1 - u0) - after
		printf "old: %d in use at load - %d unmatched = %d; now %d (%d moved), difference %d\n", \
			before, u1 - u0, before - (u1 - u0), after, moved, off
		# free frames that compaction took and did not use come back as unmatched frees
		if (off > 64 || off < -64 - (compacted ? u1 - u0 : 0))
			differs("SUM", "-", off)
	}
	printf "ours %d, again %d, the same %d; late %d; PHANTOM %d MISSING %d SLAB %d BACKING %d PLAIN %d NR_SLAB %d SUM %d\n", \
		nr_a, nr_a2, sum_ours, late, bad["PHANTOM"], bad["MISSING"], bad["SLAB"], bad["BACKING"], bad["PLAIN"], bad["NR_SLAB"], bad["SUM"]
	for (i = 0; i < nr_list; i++)
		print list[i]
	exit nr_list > 0 || !sum_ours
}
