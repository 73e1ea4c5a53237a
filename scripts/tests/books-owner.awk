# SPDX-License-Identifier: GPL-2.0
# books-owner.awk: leakwatch's page frames against the kernel's page_owner, frame by frame.
#
#	awk -f books-owner.awk -v load=NS -v loaded=NS -v a_now=NS part=stacks page/stacks part=a A \
#	    part=a2 A2 part=o O [part=o2 O2 part=a3 A3]
#
# In this order. Read so, O and O2 being page_owner, load, loaded and a_now the time in ns as printk
# has it (which is page_owner's clock):
#
#	load, insmod, loaded, ..., a_now, A (page/live), O, A2 (page/live), page/stacks; later, O2, A3
#
# What must not be: PHANTOM, in A and A2, the same, and not in O (nor, if given, in O2, but in A3).
# MISSING, in O, younger than the load, older than A, and in none of A and A2 (nor, in O2 still, A3).
# STACK, a path that is not one run of page_owner's frames. KIND, movable pages, slab pages and others
# taken for each other. OLD, in A but from before the load. Any of them: exit status 1.
#
# What may be: during, from the load itself; fresh, came or went between A and A2; dummy, allocated by
# page_owner's own stack depot, which it gives a stack of its own; unfollowed, moved by compaction to
# where page_owner knows the owner no more either: pages with a migration of their own (limits.rst).

function hex(text,    i, value) {
	value = 0
	for (i = 3; i <= length(text); i++)
		value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
	return value
}

# busybox may be without powers
function frames_of(order,    nr) {
	for (nr = 1; order > 0; order--)
		nr *= 2
	return nr
}

function differs(kind, pfn, what) {
	bad[kind]++
	if (++listed[kind] <= 50)
		list[nr_list++] = kind " " pfn " " what
}

# strip STACK: " f+0x1/0x2 [m] g+..." to "f+0x1 g+..."
function strip(stack) {
	gsub(/\/0x[0-9a-f]+/, "", stack); gsub(/ \[[^]]*\]/, "", stack)
	sub(/^ +/, "", stack)
	return stack
}

# verdict ID STACK MOVABLE SLAB: "" if the entry is the book's, else what differs
function verdict(id, nr, movable, slab,    path, book, at, first, n, part) {
	book = stack_of[nr]
	if (book ~ /(^| )register_(dummy|failure|early)_stack/)
		return "dummy"
	if (id == 1)
		return slab || book ~ /kmalloc_(large|order)|allocate_slab/ ? "" : "KIND slab page here, there " book
	if (book ~ /(^| )(allocate_slab|new_slab)\+/)
		return "KIND not a slab page here, there " book
	if (!(id in frames))
		return "STACK no path " id
	path = frames[id]
	if (path == "")
		return id == 2 || movable ? "" : "KIND " about[id] " here, there " book
	if (movable && book !~ /alloc_contig/)
		return "KIND path here, movable there: " path " | " book
	first = path; sub(/ .*/, "", first)
	at = index(" " book " ", " " first " ")
	if (!at)
		return "STACK " path " | " book
	book = substr(book, at)
	n = split(stack_of[nr], part, " ")
	if (index(book " ", path " ") != 1 && (index(path " ", book " ") != 1 || n < 16))
		return "STACK " path " | " stack_of[nr]
	return ""
}

FNR == 1 { owner = part ~ /^o/ }

# Nothing is left to explain
settled { next }

# page_owner: a record a block, closed by an empty line
owner && /^ / { stack = stack $0; next }
owner && /^Page allocated/ {
	order = $5 + 0; movable = /MOVABLE|TRANSHUGE/; stack = ""; slab = 0; migrated = 0
	match($0, /, ts [0-9]+/); ts = substr($0, RSTART + 5, RLENGTH - 5)	# text: too long for a number in text
	next
}
owner && /^PFN/ {
	pfn = $2 ~ /^0x/ ? hex($2) : $2 + 0
	slab = /[|(]slab[|)]/ || /Flags 0x[0-9a-f]*\(slab/
	next
}
owner && /^Page has been migrated/ { migrated = 1; next }
owner && /^$/ && order != "" {
	if (part == "o") {
		if (!(stack in stack_nr)) {
			stack_nr[stack] = ++nr_stacks
			stack_of[nr_stacks] = strip(stack)
		}
		nr_o++
		record[nr_o] = ts " " stack_nr[stack] " " movable " " slab " " migrated " " order
		for (end = pfn + frames_of(order); pfn < end; pfn++)
			book[pfn] = nr_o
	} else {
		again = 1
		if (!sifted) {
			sift()
			settled = 1
			for (end in gone)
				settled = 0
			for (end in suspect)
				settled = 0
			if (settled)
				next
		}
		for (end = pfn + frames_of(order); pfn < end; pfn++) {
			if (pfn in suspect && suspect[pfn] == ts)
				still[pfn]
			if (pfn in gone)
				delete gone[pfn]
		}
	}
	order = ""
	next
}

part == "stacks" && / times, / {
	match($0, /, id [0-9]+/); id = substr($0, RSTART + 5, RLENGTH - 5)
	frames[id] = ""; about[id] = ""
	next
}
part == "stacks" {
	if (/^  \(/)
		about[id] = $0
	else if (/^  /) {
		sub(/\/.*/, "", $1)
		frames[id] = frames[id] (frames[id] == "" ? "" : " ") $1
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
	} else {
		delete still[$1]
		if ($1 in gone && a[$1] == $2 && $3 + 2 >= age[$1] + watch["a3"] - watch["a"])
			ever[$1]
	}
	next
}

# sift(): all frames of O, by what they are; fills suspect and gone
function sift(    pfn, r, ts, what, key, id) {
	sifted = 1
	for (pfn in book) {
		split(record[book[pfn]], r, " ")
		ts = r[1] + 0
		if (ts >= a_now) { fresh++; delete both[pfn]; continue }
		if (ts >= load && ts <= loaded) { during++; delete both[pfn]; continue }
		if (ts < load) {
			old++
			if (pfn in both) {
				differs("OLD", pfn, "id " a[pfn] " age " age[pfn] " ts " ts ": " stack_of[r[2]])
				delete both[pfn]
			}
			continue
		}
		if (!(pfn in both)) {
			if (pfn in a || pfn in a2)
				fresh++
			else
				suspect[pfn] = r[1]
			continue
		}
		delete both[pfn]
		id = a[pfn]
		compared++
		key = id SUBSEP r[2] SUBSEP r[3] SUBSEP r[4]
		if (!(key in known)) {
			known[key] = verdict(id, r[2], r[3], r[4])
			pairs++
		}
		what = known[key]
		class = id == 1 ? "slab" : id == 2 ? "compaction" : frames[id] == "" ? "movable" : "paths"
		pages[class]++
		if (what == "dummy")
			dummy++
		else if (what != "") {
			at = index(what, " ")
			differs(substr(what, 1, at - 1), pfn, "id " id (r[5] ? " migrated" : "") " order " r[6] substr(what, at))
		} else if (class == "paths")
			stacks++
	}
	for (pfn in both)
		gone[pfn]
}

END {
	if (!sifted)
		sift()
	for (pfn in gone)
		if (!again || pfn in ever)
			differs("PHANTOM", pfn, "id " a[pfn] " age " age[pfn] ": " about[a[pfn]] frames[a[pfn]])
		else
			late++
	for (pfn in suspect)
		if (!again || pfn in still) {
			split(record[book[pfn]], r, " ")
			if (r[5] && stack_of[r[2]] ~ /(^| )(compaction_alloc|split_map_pages)/) {
				unfollowed++
				continue
			}
			differs("MISSING", pfn, "order " r[6] (r[5] ? " migrated" : "") " ts " r[1] ": " stack_of[r[2]])
		} else {
			split(record[book[pfn]], r, " ")
			late++; late_of[(r[5] ? "migrated " : "") stack_of[r[2]]]++
		}
	printf "ours %d, again %d; page_owner %d blocks; old %d, during the load %d, fresh %d, late %d, dummy %d, unfollowed %d\n", \
		nr_a, nr_a2, nr_o, old, during, fresh, late, dummy, unfollowed
	printf "compared %d frames, %d KB: of slab %d, movable %d, compaction %d, with a path %d (%d of %d KB the same stack), pairs %d\n", \
		compared, compared * 4, pages["slab"], pages["movable"], pages["compaction"], pages["paths"], stacks, \
		pages["paths"] * 4, pairs
	printf "PHANTOM %d MISSING %d STACK %d KIND %d OLD %d\n", bad["PHANTOM"], bad["MISSING"], bad["STACK"], bad["KIND"], bad["OLD"]
	for (what in late_of)
		print "late: " late_of[what] " " what
	for (i = 0; i < nr_list; i++)
		print list[i]
	exit bad["PHANTOM"] + bad["MISSING"] + bad["STACK"] + bad["KIND"] + bad["OLD"] > 0 || !compared
}
