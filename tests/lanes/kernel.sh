#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# kernel.sh LANE DIR SOURCE:SUITE... - download the newest Debian cloud kernel of a lane and unpack it to DIR. Nothing
# is installed.
#
# LANE is the start of a version (6.12), or `newest`. SOURCE is `main` or `security`: which base address to take from
# this machine's apt sources. Suites are tried in order.
#
# Writes DIR/vmlinux (uncompressed, for the guest to boot), DIR/modules/ and DIR/release. Does nothing if DIR/release
# exists. Exits with 3 if no package is available, and prints only the reason.
set -u

lane=$1
dir=$(realpath -m "$2")
shift 2
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

unavailable()
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

# Runs an apt tool on one suite, with package lists and cache of its own; only settings are this machine's.
suite_apt()
{
	local tool=$1

	shift
	"$tool" -q -o Dir::Etc::SourceList="$state/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$state/lists" -o Dir::Cache="$state" \
		-o APT::Sandbox::User=root "$@"
}

# Downloads the suite's package lists, or again after a day: older lists may name packages that were removed.
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

# Prints the names of the lane's kernel packages, newest first.
kernels()
{
	local version='[0-9]+\.'

	[ "$lane" = newest ] || version="${lane//./\\.}[.-]"
	suite_apt apt-cache pkgnames linux-image- |
		grep -E "^linux-image-$version.*-cloud-amd64$" | sort -Vr
}

# Since 7.2 the image package depends on separate packages for the kernel and its modules.
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

# The little-endian 32-bit number at that offset of the image.
number_at()
{
	od -An -tu4 --endian=little -j "$1" -N 4 "$image" | tr -d ' '
}

# A bzImage contains the kernel as a compressed payload. The setup header has its offset and length
# (Documentation/arch/x86/boot.rst); the last four bytes of the payload are the uncompressed size.
extract()
{
	local sectors start length unpack

	sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$image" | tr -d ' ')
	[ "$sectors" != 0 ] || sectors=4
	start=$(((sectors + 1) * 512 + $(number_at $((0x248)))))
	length=$(($(number_at $((0x24c))) - 4))
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
reason="no suite: ${*#*:} is not in this machine's apt sources"
package=
for suite; do
	suite_open "$suite" || continue
	reason="no linux-image-$lane*-cloud-amd64 in ${*#*:}"
	for package in $(kernels | head -n 3); do
		download "$package" && break 2
		reason="$package: $(grep '^E:' "$dir/log" | head -n 1 | sed -E 's#https?://[^ ]*/##')"
		package=
	done
done
[ -n "$package" ] || unavailable "$reason"

image=$(find "$dir/root" -name 'vmlinuz*' -type f | head -n 1)
modules=$(find "$dir/root" -path '*/lib/modules/*' -prune -type d | head -n 1)
if [ -z "$image" ] || [ -z "$modules" ]; then
	unavailable "$package has no kernel image, or no modules"
fi
extract || unavailable "$package: its kernel image cannot be unpacked"
mkdir -p "$dir/modules/lib/modules"
mv "$modules" "$dir/modules/lib/modules/"
depmod -b "$dir/modules" "$(basename "$modules")" >>"$dir/log" 2>&1 ||
	unavailable "$package: depmod failed"
rm -rf "$dir/root"
mv "$dir/vmlinux.part" "$dir/vmlinux"
basename "$modules" >"$dir/release"
