# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Leaks of the sample driver, one kind at a time, and what leakwatch says of each: to the object.
# Sourced in the guest, behind ktap.

# shellcheck source=scripts/tests/names.sh
. ./names.sh

# row FILE FUNCTION: the rows of a function of the driver
row() { awk -v f="$2" '$NF == "[leaky]" && index($(NF - 1), f "+") == 1' "$D/$1"; }

# live FUNCTION: how many objects of it are live, without those in which kmemleak notes them
live() { row slab/sites "$1" | awk '!/kmemleak_object/ { sum += $5 } END { print sum + 0 }'; }

# paths FROM TO: how many times the paths from one function to a call site count, in TO's class
paths() {
	class=$(awk -v f="$2" '$1 == f { print $2 }' $T/truth)
	awk -v from="$1" -v to="$2" '
		/ times, / { n = $1; first = 1; next }
		first { begins = index($1, to "+") == 1; first = 0 }
		begins && index($1, from "+") == 1 { sum += n; begins = 0 }
		END { print sum + 0 }' "$D/$class/stacks"
}

# first: whose is the first row of top. Where kmemleak runs it allocates more than leaks do, for each
# object, so there it is the driver's first.
first() {
	awk -v all="$(test -e /sys/kernel/debug/kmemleak; echo $?)" '
		$1 ~ /^[0-9]+$/ && (all || $NF == "[leaky]") { sub(/\+.*/, "", $(NF - 1)); print $(NF - 1); exit }' $D/top
}

# truth: the driver's figures beside ours; deferred frees get a moment to arrive
truth() {
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
		awk -f compare.awk $T/truth $D/slab/sites $D/page/sites > /tmp/truth && break
		sleep 2
	done
	! grep -q DIFFERENT /tmp/truth
}

# lossless: nothing was. Kprobes count what they miss of frees, events miss none (limits.rst): only where there are
# kprobes alone may there be any, and only with such a miss may what follows from one come to light.
lossless() {
	awk '$1 == "backend" { alone = $2 == "kprobes" }
	     /^(lost_|short_walks|folded_paths|unnamed_caches)/ && $2 != 0 { print; bad = 1 }
	     /^missed_frees_/ && $2 != 0 { print; proven = 1 }
	     hooks && $4 == "attached" && $6 != 0 { print; if (alone && $2 == "kprobe") missed = 1; else bad = 1 }
	     $1 == "HOOK" { hooks = 1 }
	     END { exit bad || (proven && !missed) }' $D/status
}

# leak KIND FUNCTION [PARAMETERS]: one kind of leak from beginning to end
leak() {
	kind=$1 function=$2
	shift 2
	writes clear
	check "$kind: the driver loads" insmod ./leaky.ko kind="$kind" "$@"
	case $* in *rate=*) sleep 3 ;; esac
	writes 1 ../leaky/stop
	check "$kind: every figure is the driver's" truth
	note < /tmp/truth
	a=$(awk '$3 == "leaky_path_a" { print $4 }' $T/truth)
	b=$(awk '$3 == "leaky_path_b" { print $4 }' $T/truth)
	equal "$kind: path a" "$(paths leaky_path_a "$function")" "$a"
	equal "$kind: path b" "$(paths leaky_path_b "$function")" "$b"
	equal "$kind: the leak is first in top" "$(first)" "$function"
	check "$kind: nothing was lost" lossless
	writes 1 ../leaky/free
	check "$kind: freed, all is even" truth
	check "$kind: the driver unloads" rmmod leaky
}
