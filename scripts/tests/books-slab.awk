# SPDX-License-Identifier: GPL-2.0
# books-slab.awk: leakwatch's slab objects against the kernel's own (kunit/books), one by one.
#
#	awk -f books-slab.awk [-v track=1] -v load=MS -v loaded=MS -v a_now=MS [-v u0=N -v u1=N] \
#	    [part=symbols /proc/kallsyms] part=stacks slab/stacks part=depot books/stacks part=t0 T0 \
#	    part=a A part=a2 A2 part=b B [part=b2 B2 part=a3 A3]
#
# In this order. They are read so, load, loaded and a_now being books/now:
#
#	load, insmod, loaded, T0 (books/objects), ..., a_now, A (slab/live), B (books/objects),
#	A2 (slab/live), slab/stacks, books/stacks; and, ten seconds later, B2 and A3 as B and A
#
# What must not be: PHANTOM, in A and A2, the same object, and not in B. MISSING, in B, younger than the
# load, older than A, and in none of A and A2 (nor, in B2 still, in A3). SITE, the path in A is not
# one run of the frames of the object's track, or, if there is no track, its function is not the
# code tag's. AGE, further from the track's than 3 s. OLD, in A but from before the load. Any of them:
# exit status 1.
#
# What may be: large, no object of any slab (books-frames.awk looks at its pages); old, from before the
# load; during, from the load itself, before there were hooks; fresh, came or went between A and A2;
# late, given up (kfree_rcu) or just being freed, and not in B2. Of objects with a code tag and no
# track: inlined, the kernel has no function of the tag's name, so it was inlined; perhaps, it has
# one, too; helper, the tag's function is one of those that are passed over; outer, a frame further
# out is the tag's.
#
# With track=1 there must be tracks, with paths and times. Without tracks an object has no time, so what is reused at the same address is taken for the same.
# Then the reader should not be a new process each time (books/take), nor wait by one.
#
# u0, u1: unmatched_objects of status at T0 and at B; the difference of the identity
# old(T0) - old(B) = u1 - u0 is printed. It counts what is "late" and old.

function strip(frame) { sub(/\/.*/, "", frame); return frame }

# differs KIND ADDRESS CACHE WHAT: one more that must not be
function differs(kind, addr, cache, what) {
	bad[kind]++; bad_in[kind, cache]++; caches[cache]
	if (++listed[kind] <= 50)
		list[nr_list++] = kind " " cache " " addr " " what
}

# The name of a frame's function, without what the compiler added
function name(frame) { sub(/[+.].*/, "", frame); return frame }

# same PATH BOOK: are they, frame by frame? Of code that is gone, the init sections of modules above all,
# the book has an address, or the name of what is there now; leakwatch kept the name.
function same(path, book,    ours, theirs, n, m, i) {
	n = split(path, ours, " ")
	m = split(book, theirs, " ")
	if (m < n && m < 12)
		return 0
	for (i = 1; i <= n && i <= m; i++)
		if (ours[i] != theirs[i] && name(ours[i]) !~ /_init$/ && (!symbols || name(ours[i]) in symbol))
			return 0
	gone++
	return 1
}

# verdict ID SITE STACK TAG: "" if the path is the book's
function verdict(id, site, stack, tag,    path, book, at, first, i, n, part, skipped) {
	if (!(id in frames))
		return "no path " id
	path = frames[id]
	if (stack in depot) {
		book = depot[stack]
		first = path; sub(/ .*/, "", first)
		at = index(" " book " ", " " first " ")
		if (!at)
			return "path " path " | track " book
		skipped = substr(book, 1, at - 1)
		book = substr(book, at)
		# the longer of the two was cut, or goes on behind an interrupt's entry
		if (index(book " ", path " ") != 1) {
			if ((index(path " ", book " ") != 1 || depth[stack] < 16) && !same(path, book))
				return "path " path " | track " depot[stack]
			cut++
		}
		# what is between the track's site and the path's first frame was passed over
		n = split(skipped, part, " ")
		for (i = n; i > 0; i--) {
			passed[name(part[i])] = name(first)
			if (part[i] == site)
				break
		}
		whole++
		return ""
	}
	if (site != "-") {
		first = path; sub(/ .*/, "", first)
		return first == site ? "" : "path " path " | track " site
	}
	sub(/@.*/, "", tag)
	n = split(path, part, " ")
	if (name(part[1]) == tag)
		return ""
	for (i = 2; i <= n && i <= 6; i++)
		if (name(part[i]) == tag)
			return "outer"
	# a helper has a tag of its own, and no call site
	if (tag ~ /^(k|kv|v|devm_k)?(mem|str|vas|real|mal|zal|as)(dup|loc|printf)|^k?strn?dup|_alloc_node$/)
		return "helper"
	if (tag in symbol)
		return "perhaps"
	return "inlined"
}

# Nothing is left to explain
settled { next }

/^0x/ && part == "t0" { t0[$1] = $4; if ($4 == "-" || $4 < load) nr_t0++; next }
/^0x/ && part == "a" { a[$1] = $2; age_a[$1] = $3; nr_a++; next }
/^0x/ && part == "a2" {
	nr_a2++
	# the same object, if it is as old as it must be by now
	if ($1 in a && a[$1] == $2 && $3 + 2 >= age_a[$1] + watch["a2"] - watch["a"])
		both[$1]
	else
		a2[$1] = $2
	next
}
/^0x/ && part == "b" {
	nr_b++; caches[$2]
	# What was allocated after A was read cannot be in it
	young = $4 != "-" && $4 + 0 >= a_now + 0
	if ($1 in both) {
		delete both[$1]
		if (young) { fresh++; next }
		compared++; compared_in[$2]++
		if ($4 != "-" && $4 + 0 < load + 0)
			differs("OLD", $1, $2, $3 " from " $4 " ms, load at " load)
		if ($3 != "-" || $6 != "-") {
			key = a[$1] " " $5 " " ($5 ? "" : $3 " " $6)
			if (!(key in known)) {
				known[key] = verdict(a[$1], $3, $5, $6)
				pairs++
			}
			what = known[key]
			checked++; checked_in[$2]++
			if (what ~ /^(inlined|outer|helper|perhaps)$/) {
				soft[what]++
				softly[what " " $6 " | " frames[a[$1]]]++
			} else if (what != "") {
				differs("SITE", $1, $2, $3 " id " a[$1] ": " what)
			}
		}
		if ($4 != "-") {
			aged++
			off = (a_now - $4) / 1000 - age_a[$1]
			if (off > 3 || off < -3)
				differs("AGE", $1, $2, $3 " " off " s")
		}
		next
	}
	if ($1 in a || $1 in a2) { fresh++; next }
	if ($1 in t0 && t0[$1] == $4) {
		if ($4 == "-" || $4 + 0 < load + 0) { old++; old_in[$2]++; next }
		if ($4 + 0 <= loaded + 0) { during++; next }
	}
	if (young) { fresh++; next }
	suspect[$1] = $0
	next
}
/^0x/ && part == "b2" {
	have_b2 = 1
	if ($1 in suspect) {
		split(suspect[$1], part_of, " ")
		if (part_of[4] == $4 && part_of[3] == $3)
			still[$1]
	}
	if ($1 in both)
		back[$1]
	next
}
/^0x/ && part == "a3" {
	if ($1 in still)
		delete still[$1]
	if ($1 in both && a[$1] == $2 && $3 + 2 >= age_a[$1] + watch["a3"] - watch["a"])
		ever[$1]
	next
}

# The heads: when it was
/^#/ {
	if (part == "b2" && $3 == "objects") {
		have_b2 = 1; settled = 1
		for (addr in suspect)
			settled = 0
		for (addr in both)
			if (!(a[addr] in large))
				settled = 0
	}
	if (part ~ /^a/ && match($0, /watching for [0-9]+/))
		watch[part] = substr($0, RSTART + 13, RLENGTH - 13) + 0
	next
}

part == "symbols" { symbol[name($3)]; symbols++; next }
part == "stacks" && / times, / {
	match($0, /, id [0-9]+/); id = substr($0, RSTART + 5, RLENGTH - 5)
	frames[id] = ""
	if (/, cache \(large\), /)
		large[id]
	next
}
part == "stacks" { if (/^  / && id != "") frames[id] = frames[id] (frames[id] == "" ? "" : " ") strip($1); next }
part == "depot" {
	if ($1 + 0) { stack = $1; depth[stack] = NF - 1; sub(/^[0-9]+ /, ""); depot[stack] = $0 }
	next
}
END {
	for (addr in both)
		if (a[addr] in large)
			nr_large++
		else
			differs("PHANTOM", addr, "(free)", "id " a[addr] " age " age_a[addr] (addr in ever ? " and 10 s later: " : ": ") frames[a[addr]])
	for (addr in suspect) {
		split(suspect[addr], part_of, " ")
		if (have_b2 && !(addr in still)) { late++; late_in[part_of[2] " " part_of[3]]++; continue }
		differs("MISSING", addr, part_of[2], part_of[3] " " part_of[6] " at " part_of[4] " ms: " depot[part_of[5]])
	}
	printf "%-24s %9s %9s %7s %7s %6s %6s %5s %9s\n", "CACHE", "OBJECTS", "SITES", "PHANTOM", "MISSING", "SITE", "AGE", "OLD", "old"
	for (cache in caches)
		if (compared_in[cache] + old_in[cache] + bad_in["MISSING", cache])
			printf "%-24s %9d %9d %7d %7d %6d %6d %5d %9d\n", cache, compared_in[cache], checked_in[cache], \
				bad_in["PHANTOM", cache], bad_in["MISSING", cache], bad_in["SITE", cache], \
				bad_in["AGE", cache], bad_in["OLD", cache], old_in[cache] | "sort"
	close("sort")
	printf "%-24s %9d %9d %7d %7d %6d %6d %5d %9d\n", "(all)", compared, checked, bad["PHANTOM"], bad["MISSING"], \
		bad["SITE"], bad["AGE"], bad["OLD"], old
	print "ours " nr_a + 0 ", again " nr_a2 + 0 "; the kernel's at load " nr_t0 + 0 ", now " nr_b + 0 \
		"; fresh " fresh + 0 ", late " late + 0 ", during the load " during + 0 ", large " nr_large + 0
	print "pairs of path and track " pairs + 0 ", whole paths " whole + 0 ", of them cut " cut + 0 ", with code that is gone " gone + 0 \
		"; ages " aged + 0 "; of tags, helper " soft["helper"] + 0 ", inlined " \
		soft["inlined"] + 0 ", perhaps " soft["perhaps"] + 0 ", outer " soft["outer"] + 0
	if (u1 != "")
		print "identity: old at load " nr_t0 + 0 " - unmatched " u1 - u0 " - old now " old + 0 " = " nr_t0 - (u1 - u0) - old
	for (f in passed)
		print "passed over: " f " (for " passed[f] ")" | "sort"
	close("sort")
	for (key in late_in)
		print "late: " late_in[key] " " key | "sort"
	close("sort")
	for (key in softly)
		if (++nr_soft <= 100)
			print softly[key] " " key | "sort -k 2"
	close("sort -k 2")
	for (i = 0; i < nr_list; i++)
		print list[i]
	exit bad["PHANTOM"] + bad["MISSING"] + bad["SITE"] + bad["AGE"] + bad["OLD"] > 0 || !compared || (track && (!whole || !aged))
}
