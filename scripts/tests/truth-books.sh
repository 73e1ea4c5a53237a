# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash disable=SC2154	# values has what is assigned nowhere here
# truth-books.sh DIR BOOK...: what truth.sh has kept in DIR: is every figure of leakwatch's what the kernel has in that
# BOOK, and in those that every kernel has? KTAP.
scripts=$(cd "$(dirname "$0")" && pwd)
T=$1
shift
# shellcheck source=scripts/ktap
. "$scripts/../ktap"
# shellcheck source=/dev/null
. "$T/values"

# compare NAME AWK ARGUMENT...
compare() {
	name=$1 script=$2
	shift 2
	status=0
	(cd "$T" && mawk -f "$scripts/$script" "$@") >"$T/table" 2>&1 || status=$?
	sed 's/^/# /' "$T/table"
	equal "$name" "$status" 0
}
has() { case " $books " in *" $1 "*) ;; *) return 1 ;; esac; }
books=$*

if has objects; then
	compare "objects: one by one as the kernel has them" books-slab.awk -v track="$(has track && echo 1)" \
		-v load="$load_ms" -v loaded="$loaded_ms" \
		-v a_now="$a_ms" -v u0="$uo0" -v u1="$uo1" part=symbols symbols part=stacks stacks part=depot depot \
		part=t0 t0 part=a a part=a2 a2 part=b b part=b2 b2 part=a3 a3
fi
compare "caches: as slabinfo has them" books-cache.awk -v u0="$co0" -v u1="$co1" -v missed="$missed_slab" \
	part=c0 c0 part=o0 o0 part=c1 c1 part=o1 o1 part=c2 c2
compare "frames: as their flags say" books-frames.awk -v u0="$up0" -v l0="$pl0" -v u1="$up1" -v l1="$pl1" part=a pa \
	part=a2 pa2 part=f0 f0 part=f1 f1 part=f2 f2 part=a3 pa3 part=vmstat vmstat part=z0 z0 part=z1 z1
# unused: minus the frames that compaction took and did not use, as their flags say
unused=$(sed -n 's/^old: .* difference //p' "$T/table")
if has owner; then
	compare "frames: one by one as page_owner has them" books-owner.awk -v load="$load" -v loaded="$loaded" \
		-v a_now="$pa" part=stacks pstacks part=a pa part=a2 pa2 part=o owner part=o2 owner2 part=a3 pa3
fi
if has profile; then
	compare "functions: as the allocation profile has them" books-profile.awk -v objects=$((po1 - po0)) \
		-v pages=$((pp1 - pp0 + ${unused:-0})) -v missed="$missed_page" part=slab0 sites0 part=page0 psites0 part=p0 profile0 \
		part=slab sites part=page psites part=p1 profile1 part=slab2 sites2 part=page2 psites2
fi
finish
