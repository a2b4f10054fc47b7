#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# dist.sh OUT - `make dist`: cachewarden-VERSION.tar.gz of what is committed, its SBOM, and SHA256SUMS of both, in the directory OUT.
# One commit gives the same bytes whenever and wherever it is packed: the tarball's times are the commit's, and no name or
# time of this machine is in it. The SBOM also has the versions of the libraries that build/cachewarden is linked with here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$here/../.."

if ! commit=$(git rev-parse HEAD 2>/dev/null) || [ "$(git rev-parse --show-toplevel)" != "$(pwd -P)" ]; then
	echo "dist.sh: not a git checkout: there is no commit to pack" >&2
	exit 3
fi
[ -z "$(git status --porcelain)" ] ||
	echo "dist.sh: what is not committed is not in the tarball: $(git status --porcelain | wc -l) files" >&2
version=$(git show "$commit:Makefile" | sed -n 's/^VERSION := //p')
name=cachewarden-$version
time=$(git log -1 --format=%ct "$commit")

# What git's configuration on this machine would change: the mode of files, and the filter for tar.gz.
git -c tar.umask=0022 archive --format=tar --prefix="$name/" "$commit" >"$out/$name.tar"
gzip -9nf "$out/$name.tar"
tests/scripts/sbom.py "$out/$name.tar.gz" build/cachewarden "$time" >"$out/$name.spdx.json.part"
mv "$out/$name.spdx.json.part" "$out/$name.spdx.json"
(cd "$out" && sha256sum "$name.tar.gz" "$name.spdx.json" >SHA256SUMS && cat SHA256SUMS)
