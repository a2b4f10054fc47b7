#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# guest.sh root OUT [PROGRAM...] - pack what is the same for every kernel: build/, the programs that it and the live tests
# run, those named, and the libraries of all of them.
# guest.sh lane OUT DIR TESTS [COMMAND] - pack what depends on the lane: kernel modules from DIR, the list of tests to
# run, and the command of lanes.sh -c.
#
# OUT is a cpio archive. The kernel unpacks both, one after the other, into its initramfs. A program that a new live
# test runs must be added to `programs` below.
set -eu
umask 022 # other users than root also run the programs

programs="bash sh cat chmod cp mv sha256sum id install kill ls mkdir ps rm sleep stat tail timeout true head
	  ip tc unshare nsenter setpriv mount umount mke2fs
	  redis-server redis-cli redis-benchmark openssl bpftool strace criu"
files="/etc/passwd /etc/group /etc/ssl/openssl.cnf /usr/lib/ssl/openssl.cnf"
modules="veth tun tls gcm ctr ghash-generic sch_netem zram lzo-rle tcp_diag overlay loop ext4"
here=$(cd "$(dirname "$0")" && pwd)

pack()
{
	(cd "$tree" && find . -mindepth 1 | LC_ALL=C sort |
		cpio -o -H newc -R 0:0 --quiet) >"$out.part"
	mv "$out.part" "$out"
}

# Copies a program or library to the same path in the tree. /bin, /sbin and /lib are links to /usr there.
copy_file()
{
	local to=$1

	case $to in
	/bin/* | /sbin/* | /lib/* | /lib64/*) to=/usr$to ;;
	esac
	[ -e "$tree$to" ] || install -D -m 755 "$1" "$tree$to"
}

root()
{
	local name path paths=() built=()

	mkdir -p "$tree"/{usr/{bin,sbin,lib,lib64},proc,sys,dev,run,tmp,mnt,root,etc,repo}
	for name in bin sbin lib lib64; do
		ln -s "usr/$name" "$tree/$name"
	done
	for name in $programs "$@" busybox; do
		path=$(type -P "$name") || { echo "guest.sh: $name is not installed" >&2; exit 3; }
		paths+=("$path")
	done
	for path in build/cachewarden build/cachewarden-live build/*.bpf.o build/triggers/* \
		build/bench/{verifier_cost,exact,floor}; do
		case $path in
		*.d) ;;
		build/bench/*) [ ! -e "$path" ] || built+=("$path") ;;
		*) built+=("$path") ;;
		esac
	done
	cp --parents "${built[@]}" tests/bench/exact.sh "$tree/repo"
	while IFS= read -r path; do
		copy_file "$path"
	done < <(
		printf '%s\n' "${paths[@]}"
		{ ldd "${paths[@]}" "${built[@]}" 2>/dev/null || true; } | grep -oE '/[^ :]+ \(0x' |
			cut -d ' ' -f 1 | sort -u
	)
	busybox --list | while IFS= read -r name; do
		[ -e "$tree/usr/bin/$name" ] || [ -e "$tree/usr/sbin/$name" ] ||
			ln -s busybox "$tree/usr/bin/$name"
	done
	for path in $files; do
		[ ! -e "$path" ] || install -D -m 644 "$path" "$tree$path"
	done
	echo "127.0.0.1 localhost" >"$tree/etc/hosts"
	install -m 755 "$here/init" "$tree/init"
}

lane()
{
	local release kind path name

	release=$(cat "$1/release")
	mkdir -p "$tree/lane/modules"
	cp "$2" "$tree/lane/tests"
	echo "${3-}" >"$tree/lane/command"
	for name in $modules; do
		modprobe -d "$1/modules" -S "$release" --show-depends "$name" 2>/dev/null || true
	done | while read -r kind path _; do
		name=$(basename "$path")
		name=${name%.ko*}.ko
		if [ "$kind" != insmod ] || [ -e "$tree/lane/modules/$name" ]; then
			continue
		fi
		case $path in
		*.xz) xz -dc "$path" ;;
		*.zst) zstd -qdc "$path" ;;
		*.gz) gzip -dc "$path" ;;
		*) cat "$path" ;;
		esac >"$tree/lane/modules/$name"
		echo "$name" >>"$tree/lane/modules/order"
	done
	touch "$tree/lane/modules/order"
}

archive=$1
out=$(realpath -m "$2")
shift 2
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
case $archive in
root | lane) "$archive" "$@" ;;
*) exit 2 ;;
esac
pack
