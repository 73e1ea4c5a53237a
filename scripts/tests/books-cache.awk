# SPDX-License-Identifier: GPL-2.0
# books-cache.awk: leakwatch's live objects by cache against /proc/slabinfo, which every kernel has.
#
#	awk -f books-cache.awk -v u0=N -v u1=N -v missed=N part=c0 INFO part=o0 OURS \
#	    part=c1 INFO part=o1 OURS part=c2 INFO
#
# OURS is slab/caches, INFO /proc/slabinfo, 0 soon after the load and 1, 2 at the end, all after every cache was
# shrunk: until then slabinfo takes what lies free on a CPU's slabs, or in its sheaves, for in use. u0 and
# u1 are unmatched_objects of status then: what was freed that is older than the module. missed: how many
# allocations at most the hooks of allocations missed.
#
# With grown = C1 - C0 (or C2 - C0, whichever is nearer: what changes while it is read is not known
# better), O1 - O0 - grown is what this cache lost of the objects it had before. So for each cache
# 0 <= O1 - O0 - grown <= C0, and the sum over all is u1 - u0. A missed allocation takes one from a
# cache's, and, when it is freed, counts as unmatched. And shrinking and reading allocate: a CPU that takes an
# object takes a slab of them, or a sheaf, ahead, which slabinfo has in use. What was taken ahead at C0
# looks as if it had been there, and gone since, unheard: up to that many a cache. Exit status 1 if a cache is out of its range,
# or the sum is off, by more than `slack`: 0.1 % of the live objects, what came and went during the
# reads, what was taken ahead, and what was missed.

part ~ /^c/ && NF > 5 && $1 !~ /^#/ && $1 != "slabinfo" {
	active[part, $1] = $2
	names[$1] = $5 > 64 ? $5 : 64	# how many a CPU takes ahead: a slab, or a sheaf
	next
}
part ~ /^o/ && $1 == "CACHE" { for (i = 1; i <= NF; i++) column[$i] = i; next }
part ~ /^o/ && !/^#/ && NF && $1 !~ /^\(/ && $column["LIVE"] {
	if (!($1 in names) && part == "o1") {
		print "no such cache in slabinfo: " $0
		strange++
	}
	ours[part, $1] += $column["LIVE"]
}
END {
	for (name in names) {
		mine = ours["o1", name] - ours["o0", name]
		low = active["c1", name] - active["c0", name]
		high = active["c2", name] - active["c0", name]
		live += ours["o1", name]; all += active["c1", name]
		moved += low < high ? high - low : low - high
		if (low > high) { t = low; low = high; high = t }
		grown = mine < low ? low : mine > high ? high : mine
		old = mine - grown	# gone of what was there before
		freed += old
		if (old)
			lost[old] = lost[old] " " name
		nr++
		if (old == 0)
			equal++
		if (old > 0)
			before += old < names[name] ? old : names[name]
		out = old < 0 ? -old : old > active["c0", name] ? old - active["c0", name] : 0
		if (out) {
			if (old < 0)
				ahead += -old < names[name] ? -old : names[name]
			outs += old < 0 && out <= names[name] ? 0 : out
			line[++lines] = sprintf("%-24s ours %8d, slabinfo %8d at load, %8d to %8d now: %d %s", name, mine, \
				active["c0", name], active["c1", name], active["c2", name], out, old < 0 && out <= names[name] ? "taken ahead" : "out of range")
		}
	}
	slack = int(live / 1000) + moved + missed + ahead
	off = freed - (u1 - u0)
	print "caches: " nr " (" all " objects in use, " live " of them ours), grown by as many as ours " equal + 0 \
		", others lost older ones: " freed " in all, unmatched frees " u1 - u0 ", off by " off ", out of range " \
		outs + 0 ", came or went meanwhile " moved ", taken ahead " ahead + 0 ", at load perhaps " before + 0 ", missed at most " missed + 0 ", slack " slack
	for (i = 1; i <= lines; i++)
		print line[i]
	for (n in lost)
		print "lost " n ":" lost[n] | "sort -k2,2rn"
	close("sort -k2,2rn")
	exit nr < 20 || live == 0 || strange || outs > slack || off > slack + before || -off > slack
}
