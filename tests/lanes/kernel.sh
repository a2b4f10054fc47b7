#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# kernel.sh LANE DIR SOURCE:SUITE... - put the newest cloud kernel of a lane below DIR, from
# Debian's package of it. Nothing is installed.
#
# SOURCE is `main` or `security`: the base address of the one or the other among this machine's own
# apt sources. Suites are tried in order. LANE is the beginning of a version (6.12), or `newest`.
# Leaves DIR/vmlinux (uncompressed, what the guest boots), DIR/modules/ and DIR/release; all is kept
# until DIR is removed. Exit 3 when no package can be had; the reason is the only line printed.
set -u

lane=$1
dir=$(realpath -m "$2")
shift 2
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

gone()
{
	echo "$*"
	exit 3
}

site()
{
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(SITE) $(CODENAME) $(ORIGIN)' \
		'Created-By: Packages' 2>/dev/null |
		awk -v security="$([ "$1" = security ] && echo 1)" '
			$3 == "Debian" && ($2 ~ /-security$/) == (security != "") {
				print $1
				exit
			}'
}

# apt that knows one suite and nothing of this machine's package state but its settings.
suite_apt()
{
	local tool=$1

	shift
	"$tool" -q -o Dir::Etc::SourceList="$state/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$state/lists" -o Dir::Cache="$state" \
		-o APT::Sandbox::User=root "$@"
}

# Lists older than a day may name packages that are gone.
suite_open()
{
	local base

	state=$(dirname "$dir")/apt/${1#*:}
	[ -z "$(find "$state/fresh" -mmin -1440 2>/dev/null)" ] || return 0
	base=$(site "${1%%:*}")
	[ -n "$base" ] || return 1
	mkdir -p "$state/lists/partial" "$state/archives/partial"
	echo "deb [arch=amd64$([ -e $keyring ] && echo " signed-by=$keyring")] $base ${1#*:} main" \
		>"$state/sources.list"
	suite_apt apt-get update >"$state/log" 2>&1 && touch "$state/fresh"
}

# Names of the lane's kernels, newest first.
kernels()
{
	local version='[0-9]+\.'

	[ "$lane" = newest ] || version="${lane//./\\.}[.-]"
	suite_apt apt-cache pkgnames linux-image- |
		grep -E "^linux-image-$version.*-cloud-amd64$" | sort -Vr
}

# The image, and what it was split into from 7.2 on.
download()
{
	local packages

	packages=$(suite_apt apt-cache depends "$1" |
		sed -nE 's/^ *Depends: (linux-(binary|modules)-.*)/\1/p')
	rm -rf "$dir"
	mkdir -p "$dir/deb" "$dir/root"
	# shellcheck disable=SC2086 # a list
	(cd "$dir/deb" && suite_apt apt-get download "$1" $packages) >"$dir/log" 2>&1 || return 1
	for deb in "$dir"/deb/*.deb; do
		dpkg -x "$deb" "$dir/root" >>"$dir/log" 2>&1 || return 1
	done
	rm -rf "$dir/deb"
}

word() # OFFSET of a little-endian 32-bit number
{
	od -An -tu4 --endian=little -j "$1" -N 4 "$image" | tr -d ' '
}

# The kernel proper lies in its image as a compressed payload, its place named in the setup header;
# the last four bytes are its size.
extract()
{
	local sectors start length unpack

	sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$image" | tr -d ' ')
	[ "$sectors" != 0 ] || sectors=4
	start=$(((sectors + 1) * 512 + $(word $((0x248)))))
	length=$(($(word $((0x24c))) - 4))
	case $(od -An -tx1 -j $start -N 4 "$image" | tr -d ' ') in
	fd377a58) unpack="xz -dc --single-stream" ;;
	28b52ffd) unpack="zstd -qdc" ;;
	1f8b*) unpack="gzip -dc" ;;
	02214c18) unpack="lz4 -qdc" ;;
	*) return 1 ;;
	esac
	tail -c +$((start + 1)) "$image" | head -c $length |
		$unpack >"$dir/vmlinux.part" 2>>"$dir/log"
	[ "$(od -An -c -j 1 -N 3 "$dir/vmlinux.part" | tr -d ' ')" = ELF ]
}

[ ! -e "$dir/release" ] || exit 0
why="no suite: ${*#*:} is not among this machine's package sources"
package=
for suite; do
	suite_open "$suite" || continue
	why="no linux-image-$lane*-cloud-amd64 in ${*#*:}"
	for package in $(kernels | head -n 3); do
		download "$package" && break 2
		why="$package: $(grep '^E:' "$dir/log" | head -n 1 | sed -E 's#https?://[^ ]*/##')"
		package=
	done
done
[ -n "$package" ] || gone "$why"

image=$(find "$dir/root" -name 'vmlinuz*' -type f | head -n 1)
modules=$(find "$dir/root" -path '*/lib/modules/*' -prune -type d | head -n 1)
if [ -z "$image" ] || [ -z "$modules" ]; then
	gone "$package holds no kernel image, or no modules"
fi
extract || gone "$package: its kernel image cannot be unpacked"
mkdir -p "$dir/modules/lib/modules"
mv "$modules" "$dir/modules/lib/modules/"
depmod -b "$dir/modules" "$(basename "$modules")" >>"$dir/log" 2>&1 ||
	gone "$package: depmod failed"
rm -rf "$dir/root"
mv "$dir/vmlinux.part" "$dir/vmlinux"
basename "$modules" >"$dir/release"
