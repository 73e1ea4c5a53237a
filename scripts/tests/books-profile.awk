# SPDX-License-Identifier: GPL-2.0
# books-profile.awk: leakwatch's bytes by function against the kernel's memory allocation profiling.
#
#	awk -f books-profile.awk [-v objects=N -v pages=N -v missed=N] \
#	    part=slab0 slab/sites part=page0 page/sites part=p0 P0 \
#	    part=slab slab/sites part=page page/sites part=p1 P1 part=slab2 slab/sites part=page2 page/sites
#
# P0 and P1 are /proc/allocinfo (6.10 and later, sysctl.vm.mem_profiling=1) soon after the load and
# at the end, each between ours; objects and pages, what was freed in between of older ones: the growth of
# unmatched_objects and unmatched_pages in status, this less the free frames that compaction took and gave
# back, which are in no book as an allocation (books-frames.awk says how many, by the frames' flags). missed: how many pages at most the hooks of allocations
# missed; their frees are among the unmatched, too.
#
# allocinfo counts by code tag: an object as its cache's whole size, a page or large kmalloc as whole
# pages, pages of slabs under alloc_slab_page(), which is leakwatch's site 1. Percpu memory is in it too.
# A tag names the function in the source; a call site, the one in the binary, into which that
# may be inlined; and leakwatch passes helpers over (kvasprintf) where a tag is in the helper.
#
# For a function of both, with P0 = 0: equal, or not. With P0 > 0: in range, P1 - P0 <= ours <= P1, or
# not. What is not is listed, with what is in one alone, largest first: each has to be explained by
# hand, by the three reasons above. Sums: ours, less what was ours at P0 = P1 - P0 + what was freed of
# the older. Exit status 1 if the sums are further apart than freed objects can be, 8 to 8192 bytes each,
# plus slack (a variable, 256 KB if not set), and what came or went while all was read.

function name(site) { sub(/[+.].*/, "", site); return site }
function kb(bytes) { return sprintf("%.1f", bytes / 1024) }

# A page that compaction took to move another into takes over that one's tag, and 6.12 then gives back what it
# charged to this function as bytes where it counted pages (pgalloc_tag_copy): its bytes are far too many. Its calls
# are right: the pages whose tag did not come along, since that one had none.
part ~ /^p/ && $NF == "func:compaction_alloc" { charged[part] += $1; $1 = $2 * 4096 }
part ~ /^p/ && $NF ~ /^func:/ {
	f = substr($NF, 6)
	bytes[part, f] += $1; total[part] += $1
	functions[f]
	if (part == "p1" && $1 > 0)
		file[f] = $3
	next
}
# block BYTES: the block of pages that a large kmalloc takes
function block(bytes,  size) {
	for (size = 4096; size < bytes; size *= 2)
		;
	return size
}

# What leakwatch takes in order to show a table, as much for page/sites as for slab/sites before it, is not there
# any more when the book is read. Large kmallocs are in site 1, too.
part ~ /^(slab|page)/ && /\[leakwatch\]$/ {
	if (part ~ /^slab/ && $column["CACHE"] == "(large)")
		shown["page" substr(part, 5)] += $column["LIVE"] * block($column["SIZE-B"])
	next
}
part ~ /^page/ && $column["ID"] == 1 && $1 ~ /^[0-9]+$/ { $column["LIVE"] -= shown[part] / 4096 }
# Ours as the load was over, and again after the book: what came or went while all was read.
part ~ /^(slab|page)[02]$/ && $1 ~ /^[0-9]+$/ {
	if (part != "slab0" || $column["CACHE"] != "(large)")	# those are in site 1, too
		whole[part] += $column["LIVE"] * (part ~ /^page/ ? 4096 : $column["SIZE-B"])
	next
}
$1 == "RANK" {
	for (i = 1; i <= NF; i++)
		column[$i] = i
	next
}
(part == "slab" || part == "page") && $1 ~ /^[0-9]+$/ {
	live = $column["LIVE"]
	size = part == "page" ? 4096 : $column["SIZE-B"]
	site = $column["SITE"]
	sum[part] += live * size
	if (part == "slab" && $column["CACHE"] == "(large)") {
		# the block's pages are in site 1, too
		large += live * block(size)
		sum[part] += live * (block(size) - size)
		rounded += live * (block(size) - size)
		size = block(size)
	}
	if (part == "page" && $column["ID"] == 1) {
		backing = live * size
		next
	}
	if (site ~ /^\(/) {
		kinds += live * size
		next
	}
	ours[name(site)] += live * size
	functions[name(site)]
	next
}
END {
	if (backing) {
		ours["alloc_slab_page"] = backing - large
		functions["alloc_slab_page"]
	}
	for (f in functions) {
		low = bytes["p1", f] - bytes["p0", f]; high = bytes["p1", f] + 0; mine = ours[f] + 0
		if (mine && bytes["p0", f] + 0 == 0 && high == mine) {
			equal++; equal_bytes += mine
		} else if (mine && low <= mine && mine <= high) {
			in_range++; range_bytes += mine
		} else if (!mine && low <= 0) {
			silent++
		} else {
			nr_out++
			gap = mine > high ? mine - high : low - mine
			if (mine > high) more += gap; else less += gap
			line[nr_out] = sprintf("%12d %-40s ours %10d book %10d at load %10d %s", gap, f, mine, high, bytes["p0", f], file[f])
		}
	}
	print "functions: equal " equal + 0 " (" kb(equal_bytes) " KB), in range " in_range + 0 " (" kb(range_bytes) \
		" KB), of the book alone and not grown " silent + 0 ", others " nr_out + 0 ": ours more by " kb(more) \
		" KB, less by " kb(less) " KB, without a function " kb(kinds) " KB"
	mine = sum["slab"] + sum["page"] - large
	grown = total["p1"] - total["p0"]
	before = whole["slab0"] + whole["page0"]
	off = mine - before - grown - pages * 4096
	print "sums: ours " kb(mine) " KB (slab " kb(sum["slab"]) ", pages " kb(sum["page"]) ", in both " kb(large) \
		"), less " kb(before) " KB at load; book " kb(total["p0"]) " -> " kb(total["p1"]) ", grown " kb(grown) " KB; freed of the older " pages + 0 \
		" pages, " objects + 0 " objects; difference " kb(off) " KB"
	moved = whole["slab2"] + whole["page2"] + rounded - sum["slab"] - sum["page"]
	if (moved < 0)
		moved = -moved
	print "left out: leakwatch, to show a table, " kb(shown["page"]) " KB"
	print "came or went while all was read: " kb(moved) " KB"
	print "compaction_alloc, book " kb(charged["p0"]) " -> " kb(charged["p1"]) " KB; by its calls " \
		kb(bytes["p0", "compaction_alloc"]) " -> " kb(bytes["p1", "compaction_alloc"]) " KB"
	for (i = 1; i <= nr_out; i++)
		print line[i] | "sort -rn"
	close("sort -rn")
	if (slack == "")
		slack = 262144
	slack += moved
	exit !equal || off < 8 * objects - slack - missed * 4096 || off > 8192 * objects + slack
}
