# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154	# cache, top and work are lib.sh's
# Debian's archive: packages of releases and architectures that this machine is not of, to be unpacked,
# never installed. Sourced, after lib.sh.

# Looked through in this order, and the first that has what is wanted is taken: what was made for the
# release that this machine runs needs least to be built with. The first is the one that apt knows, the
# second is newer, the third older, and only its main archive is looked at.
releases=(bookworm trixie bullseye)

# An apt of our own, so that neither the machine's suites nor its architectures nor its pins matter.
# By -o and not by APT_CONFIG: that file is read first and /etc/apt/apt.conf.d after it, where Docker's
# images switch the package cache off. This way their proxy settings hold and ours do too.
archive=$cache/apt
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
options=(-q
	-o Dir::Etc::sourcelist="$archive/sources.list" -o Dir::Etc::sourceparts="$archive/empty"
	-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts="$archive/empty"
	-o Dir::State="$archive" -o Dir::State::status=/dev/null
	-o Dir::Cache="$archive" -o Dir::Cache::pkgcache=pkgcache.bin
	-o APT::Architecture=amd64
	-o APT::Sandbox::User=root
	-o Acquire::Languages=none -o Acquire::Retries=3 -o Acquire::Check-Valid-Until=false
	-o APT::Update::Error-Mode=any)
architectures=(-o APT::Architectures::=arm64 -o APT::Architectures::=armhf)
apt() { "apt-$1" "${options[@]}" "${architectures[@]}" "${@:2}" 2>>"$archive/log"; }

# archive_update: learn what the mirror has, once a day at most.
archive_update() {
	local stamp
	stamp=$archive/updated-$(hash_of mirror <"$top/scripts/debian.sh")
	mkdir -p "$archive/lists/partial" "$archive/archives/partial" "$archive/empty"
	(
		flock 7
		[ -z "$(find "$stamp" -mmin -1440 2>/dev/null)" ] || exit 0
		say "asking the mirror what it has"
		: >"$archive/log"
		# apt reads all forms that sources can have; what is not Debian's own does not pass the keyring.
		# Other releases are beside the machine's own.
		# shellcheck disable=SC2016	# apt expands these
		apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
			awk -v key="$keyring" -v releases="${releases[*]}" '
			# the newest of armhf comes and goes
			function put(suite) {
				print "deb [signed-by=" key (suite ~ /^trixie-b/ ? " arch=amd64,arm64" : "") "]", $1, suite, "main"
			}
			BEGIN { n = split(releases, release, " ") }
			$1 !~ "/debian" || $3 != "main" || seen[$1, $2]++ { next }
			$2 == release[1] {
				for (i = 1; i < n; i++) {
					put(release[i]); put(release[i] "-updates"); put(release[i] "-backports")
				}
				put(release[n])
			}
			$2 == release[1] "-security" { for (i = 1; i < n; i++) put(release[i] "-security") }
			' >"$archive/sources.list"
		[ -s "$archive/sources.list" ] || die "apt's sources name no Debian ${releases[0]} main"
		# If an index is not what its release says, apt leaves out all of that suite. Those of armhf are
		# amiss most often: the others without them, beside what there is of armhf.
		apt get update >/dev/null ||
			{ unset 'architectures[3]' 'architectures[2]'; apt get update -o APT::Get::List-Cleanup=0 >/dev/null; } ||
			say "apt-get update failed, going by what it fetched (see $archive/log)"
		rm -f "$archive"/updated-*
		touch "$stamp"
	) 7>"$cache/apt.lock" || exit
}

# newest VERSION PACKAGE...: prints that one of these packages, its version and release, that is the newest
# whose version begins with VERSION, in the first release that has any.
newest() {
	local release found
	for release in "${releases[@]}"; do
		found=$(apt cache madison "${@:2}" | awk -F ' *[|] *' -v version="$1." -v release="$release" '
			index($2, version) == 1 && $3 ~ " " release "(-[a-z]+)?/" { sub(/^ */, "", $1); print $2, $1 }' |
			sort -V | tail -n 1)
		[ -z "$found" ] || { echo "${found#* } ${found%% *} $release"; return; }
	done
	return 1
}

# depends PACKAGE REGEX: the packages that it depends on and whose whole name matches.
depends() {
	apt cache depends "$1" | sed -nE 's/^[ |]+(Pre)?Depends: <?([^:<>]+)(:.*)?>?$/\2/p' | grep -xE "$2" || true
}

# libraries PACKAGE: those that its programs need, all the way down, of the newest release.
libraries() {
	apt cache depends --recurse --no-recommends --no-suggests --no-breaks --no-conflicts --no-replaces \
		--no-enhances "$1" | grep -xE 'z?lib[^: ]+' | sort -u
}

# file_names PACKAGE...: the names of the files that would be downloaded.
file_names() { apt get download --print-uris "$@" | cut -d ' ' -f 2 | sort | paste -s -d ' '; }

# download DIR PACKAGE...
download() {
	(cd "$1" && apt get download "${@:2}" >/dev/null) || { tail -n 20 "$archive/log" >&2; die "download failed"; }
}

# kernel_source VERSION (6.1, 6.12): prints the directory of Debian's kernel source. What the cache has
# is good enough: a newer one would have every kernel built again.
kernel_source() {
	local package version part=$cache/source.part
	need xz-utils
	(
		flock 8		# two at once would unpack into each other
		compgen -G "$cache/linux-source-$1-*/Makefile" >/dev/null && exit
		archive_update
		read -r package version _ <<<"$(newest "$1" "linux-source-$1")"
		[ -n "$version" ] || die "the mirror has no linux-source-$1"
		say "unpacking $package $version"
		rm -rf "$part" && mkdir -p "$part/deb" "$part/src" &&
		download "$part/deb" "$package:amd64=$version" &&
		dpkg-deb -x "$part"/deb/*.deb "$part/deb" &&
		tar -C "$part/src" --strip-components=1 -xf "$part/deb/usr/src/linux-source-$1.tar.xz" &&
		mv "$part/src" "$cache/linux-source-$1-$version" &&
		rm -rf "$part"
	) 8>"$cache/source.lock" || die "cannot unpack the source of $1"
	compgen -G "$cache/linux-source-$1-*" | sort -V | tail -n 1
}
