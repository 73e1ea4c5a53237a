# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What every script here starts from: strictness, the cache, packages.
# Sourced, never run.

set -euo pipefail

# The checkout, and where what is dear to make is kept between runs. Everything in the
# cache is keyed by a hash of what makes it, so it never needs to be cleaned to be right.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${LEAKWATCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/leakwatch}
jobs=$(nproc)
mkdir -p "$cache"

# Scratch space, gone at the end.
work=$(mktemp -d "${TMPDIR:-/tmp}/leakwatch.XXXXXX")
trap 'rm -rf "$work"' EXIT

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# need PACKAGE...: install what is missing of them, by name, from the mirror that the machine uses.
need() {
	local p missing=()
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || die "not root, cannot install: ${missing[*]}"
	say "installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	if ! { apt-get update -q && apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$cache/apt.log" 2>&1; then
		tail -n 20 "$cache/apt.log" >&2
		die "apt-get failed, see $cache/apt.log"
	fi
}

# hash_of WORD...: a short key over the words given and over standard input.
hash_of() { { printf '%s\n' "$@"; cat; } | sha256sum | cut -c 1-12; }

# cross ARCH: the make arguments that a Debian architecture's kernel wants.
cross() {
	case $1 in
	amd64) echo "ARCH=x86_64" ;;
	arm64) echo "ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-" ;;
	armhf) echo "ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf-" ;;
	um) echo "ARCH=um" ;;
	*) die "no such architecture: $1 (amd64, arm64, armhf, um)" ;;
	esac
}

# compiler ARCH: the package that holds its compiler.
compiler() {
	case $1 in
	amd64|um) echo gcc ;;
	arm64) echo gcc-aarch64-linux-gnu ;;
	armhf) echo gcc-arm-linux-gnueabihf ;;
	esac
}

# prepare KERNEL: sets ARCH, KDIR, IMAGE and MODULES (see stock) of stock-ARCH or stock-ARCH-VERSION, or of
# one of our own kernels; and PROCESSOR, which runs it, empty for the usual one (see guest).
# shellcheck disable=SC2034	# for those who source this
prepare() {
	local dir name=${1#stock-}
	ARCH=${name%%-*}
	[ "$1" != uml ] || ARCH=um
	case $1 in
	stock-*-*) dir=$("$top/scripts/stock" "$ARCH" "${name#*-}") KDIR=$dir/build ;;
	stock-*) dir=$("$top/scripts/stock" "$ARCH") KDIR=$dir/build ;;
	*) dir=$("$top/scripts/kernel" "$1") KDIR=$dir ;;
	esac
	IMAGE=$dir/image
	MODULES=$dir/modules
	PROCESSOR=
	[[ $1 != *-16k ]] || PROCESSOR=cortex-a76	# the usual one has pages of 4 and 64 KB
}

# sources PATH...: a tar of what is source in these of the checkout, without what builds may have left there.
sources() {
	(cd "$top" && find "$@" \( -name '*.[ch]' -o -name 'Kbuild*' \) ! -name '*.mod.c' -print0 | tar -c --null -T -)
}

# build_modules KDIR ARCH TO DIR...: build the modules in each DIR of the checkout, W=1 (but for kernel-doc, see style), and
# put them in TO/DIR, without what only a debugger reads; what make said is in TO/build.log. $make are further words
# for it. The checkout is not written to. What several tests of one run want is built once: in $LEAKWATCH_BUILDS, if
# check says so.
make=()
build_modules() {
	local kdir=$1 arch=$2 to=$3 dir from words prefix builds=${LEAKWATCH_BUILDS:-$work/builds}
	local -a cross
	words=$(cross "$arch")
	read -ra cross <<<"$words"
	prefix=$(sed -n 's/.*CROSS_COMPILE=//p' <<<"$words")
	shift 3
	mkdir -p "$builds" "$to"
	: >"$to/build.log"
	for dir; do
		from=$builds/$(hash_of "$kdir" "$dir" "${make[@]}" "${KCFLAGS:-}" </dev/null)
		(
			flock 9
			[ ! -e "$from/done" ] || exit 0
			rm -rf "$from"
			mkdir "$from"
			sources include module kunit Kbuild | tar -C "$from" -x
			make -C "$kdir" M="$from/$dir" "${cross[@]}" "${make[@]}" -j "$jobs" W=1 cmd_checkdoc= modules >"$from/build.log" 2>&1 || exit
			"${prefix}strip" --strip-debug "$from/$dir"/*.ko || exit
			touch "$from/done"
		) 9>"$from.lock" ||
		{ cat "$from/build.log" >>"$to/build.log"; tail -n 20 "$from/build.log" >&2; die "$dir does not build against $kdir"; }
		cat "$from/build.log" >>"$to/build.log"
		mkdir -p "$to/$dir"
		cp "$from/$dir"/*.ko "$to/$dir"
	done
}

# pick_modules BASE RELEASE TO: of the modules in BASE/lib/modules/RELEASE, put those that a load wants,
# and the lists that say how to insert them, into TO; see stock.
pick_modules() {
	local base=$1 release=$2 to=$3 list names name word file
	need kmod xz-utils
	mkdir -p "$to"
	depmod -b "$base" "$release"
	while read -r list names; do
		for name in $names; do
			modprobe -C /dev/null -d "$base" -S "$release" --show-depends "$name" 2>/dev/null || echo missing
		done >"$work/depends"
		! grep -q '^missing' "$work/depends" || continue
		: >"$to/$list"
		while read -r word file _; do
			[ "$word" = insmod ] || continue	# builtin
			name=${file##*/} name=${name%.xz}
			! grep -qsx "$name" "$to/disk" "$to/$list" || continue
			case $file in *.xz) xz -dc "$file" >"$to/$name" ;; *) cp "$file" "$to/$name" ;; esac
			echo "$name" >>"$to/$list"
		done <"$work/depends"
	done <<-'END'
		disk	virtio_pci virtio_blk ext4
		loop	loop
		overlay	overlay
		zram	zram
		dummy	dummy
		veth	veth
		vgem	vgem
	END
}
