# SPDX-License-Identifier: GPL-2.0
# compare.awk TRUTH slab/sites page/sites: what the driver says beside what leakwatch says, a line for
# each function; exit status 1 if any figure differs. A function may have several rows (sizes).
FNR == 1 { file++ }
file == 1 && $2 ~ /^(slab|page)$/ {
	key = $1 " " $2
	if (!(key in live))
		order[n++] = key
	live[key] += $3; allocs[key] += $5; frees[key] += $6
}
file > 1 && $NF == "[leaky]" {
	function_name = $(NF - 1)
	sub(/\+.*/, "", function_name)
	key = function_name " " $3
	our_live[key] += $5; our_allocs[key] += $9; our_frees[key] += $10
}
END {
	printf "%-34s %-5s %21s %21s %21s\n", "FUNCTION", "CLASS", "LIVE truth/ours", "ALLOCS", "FREES"
	for (i = 0; i < n; i++) {
		key = order[i]; split(key, part, " ")
		same = live[key] == our_live[key] + 0 && allocs[key] == our_allocs[key] + 0 && \
		       frees[key] == our_frees[key] + 0
		printf "%-34s %-5s %10d/%10d %10d/%10d %10d/%10d %s\n", part[1], part[2], live[key], \
			our_live[key], allocs[key], our_allocs[key], frees[key], our_frees[key], \
			same ? "same" : "DIFFERENT"
		bad += !same
	}
	exit bad || !n
}
