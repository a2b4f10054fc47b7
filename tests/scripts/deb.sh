#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# deb.sh - `make deb`: build a Debian package of this tree, as it is, in build/deb/, and run lintian on it. docs/package/debian
# is what dpkg-buildpackage expects as debian/ at the top of a tree, so it works on a copy.
set -eu
cd "$(dirname "$0")/../.."

out=build/deb
src=$out/cachewarden
version=$(sed -n 's/^VERSION := //p' Makefile)
date=$(git log -1 --format=%cD 2>/dev/null) || date=$(date -R)

rm -rf "$out"
mkdir -p "$src"
if files=$(git ls-files -co --exclude-standard 2>/dev/null); then
	xargs -d '\n' cp --parents -t "$src" <<<"$files"
else
	tar -c --exclude=./build . | tar -x -C "$src"
fi
mv "$src/docs/package/debian" "$src/debian"
sed -i "s/@version@/$version/; s/@date@/$date/" "$src/debian/changelog"
sed -n '/^Copyright/,$p' LICENSE | sed '1,2d; s/^$/./; s/^/ /' >"$out/license"
sed -i -e "/^@license@$/{r $out/license" -e 'd}' "$src/debian/copyright"

# Not the caller's: its variables are for another tree, and its jobs are handed on.
log=$out/log
if ! (cd "$src" && env -u MAKEFLAGS -u MAKELEVEL DEB_BUILD_OPTIONS="parallel=$(nproc)" \
	dpkg-buildpackage -b -us -uc) >"$log" 2>&1; then
	tail -n 30 "$log" >&2
	echo "deb.sh: dpkg-buildpackage failed; all it said is in $log" >&2
	exit 1
fi
rm -rf "$src" "$out/license"
lintian --allow-root --fail-on error,warning --info "$out"/*.changes
ls "$out"/*.deb
