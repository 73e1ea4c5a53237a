#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# misses.sh SCALE: the cache misses of a pair of allocation and free in the table of objects, against how many are live
# (scale.c), as valgrind's cachegrind counts them: in a first level of 32 KB, 8 ways, and a last of 32 MB, 16 ways.
# They are those of PAIRS pairs, less what none takes. Behind it, for programs:
# bench: host misses_<live>_<order> <what> <hundredths a pair>
set -e
PAIRS=1000000
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# count LIVE ORDER PAIRS: instructions, misses of the first level, of the last
count() {
	valgrind --tool=cachegrind --cache-sim=yes --I1=32768,8,64 --D1=32768,8,64 --LL=33554432,16,64 --cachegrind-out-file="$out" \
		"$scale" "$@" >"$out.said" 2>&1 || { cat "$out.said" >&2; exit 1; }
	rm "$out.said"
	awk '$1 == "events:" { for (i = 2; i <= NF; i++) at[$i] = i }
	     $1 == "summary:" { printf "%d %d %d\n", $at["Ir"], $at["D1mr"] + $at["D1mw"], $at["DLmr"] + $at["DLmw"] }' "$out"
}

scale=$1
for live in 1000 10000 100000 1000000 10000000; do
	for order in again random; do
		echo "$live $order $(count "$live" "$order" 0) $(count "$live" "$order" $PAIRS)"
	done
done | awk -v pairs=$PAIRS '
	function a_pair(from, to) { return int(100 * (to - from) / pairs + 0.5) / 100 }
	BEGIN { printf "%-10s %-8s %14s %14s %14s\n", "live", "order", "instructions", "first level", "last level" }
	NF != 8 { exit 1 }
	{
		printf "%-10d %-8s %14.1f %14.2f %14.2f\n", $1, $2, a_pair($3, $6), a_pair($4, $7), a_pair($5, $8)
		split("instructions first_level last_level", name, " ")
		for (i = 1; i <= 3; i++)
			lines[++n] = sprintf("bench: host misses_%d_%s %s %.0f", $1, $2, name[i], 100 * a_pair($(2 + i), $(5 + i)))
	}
	END { for (i = 1; i <= n; i++) print lines[i]; exit n != 30 }'
