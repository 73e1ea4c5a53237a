# SPDX-License-Identifier: GPL-2.0
# near.awk TRUTH slab/sites page/sites: what the driver says beside what leakwatch estimates, a line for each
# function; exit status 1 if any is off by more than four standard errors and sixteen objects, or if none is an
# estimate. (What is nearly always drawn is seldom off, but then by all of a block: of 150 blocks of eight pages
# two are missed in one run of 800, one in one of 20.)

# busybox may have no sqrt()
function root(x,	y, i) {
	y = x / 2 + 1
	for (i = 0; i < 60; i++)
		y = (y + x / y) / 2
	return y
}
FNR == 1 { file++ }
file == 1 && $2 ~ /^(slab|page)$/ {
	key = $1 " " $2
	if (!(key in live))
		order[n++] = key
	live[key] += $3
}
file > 1 && $NF == "[leaky]" {
	function_name = $(NF - 1)
	sub(/\+.*/, "", function_name)
	key = function_name " " $3
	estimates += sub(/^~/, "", $5)
	error = $(NF - 2) * 1024 / ($3 == "slab" ? $(NF - 3) : 4096)
	ours[key] += $5; square[key] += error * error
}
END {
	printf "%-34s %-5s %12s %12s %10s\n", "FUNCTION", "CLASS", "LIVE truth", "ours", "error"
	for (i = 0; i < n; i++) {
		key = order[i]; split(key, part, " ")
		off = ours[key] - live[key]
		near = off * off <= 16 * square[key] + 16 * 16
		printf "%-34s %-5s %12d %12d %10d %s\n", part[1], part[2], live[key], ours[key], \
			root(square[key]), near ? "near" : "FAR"
		bad += !near
	}
	exit bad || !n || !estimates
}
