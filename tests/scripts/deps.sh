#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# deps.sh GROUP... - install the Debian packages that a group (build, test, day, package, bench, fuzz) needs.
#
# Silent and quick if nothing is missing: one call of dpkg-query, no network. Exits with 3 if a missing package
# cannot be installed, with 2 on an unknown group.
set -u

declare -A group=(
	[build]="clang llvm libbpf-dev libelf-dev zlib1g-dev libzstd-dev libssl-dev libyaml-dev libjansson-dev
		 libcurl4-openssl-dev libncurses-dev
		 bpftool pkg-config make gcc
		 linux-libc-dev libc6-dev redis-server redis-tools openssl procps"
	[test]="libcmocka-dev zstd iproute2 util-linux gdb strace
		ltrace scanmem reptyr procdump criu lldb linux-perf bpftrace lsof psmisc htop
		prometheus-node-exporter tshark gnutls-bin libnss3-tools nodejs openjdk-17-jdk-headless
		sslscan testssl.sh stunnel4 haproxy rsyslog rsyslog-openssl prometheus-alertmanager cargo librust-rustls-dev
		chromium signify-openbsd minisign openssh-client golang-go golang-golang-x-mod-dev
		prometheus systemd man-db zsh fish
		python3 python3-jsonschema python3-yaml clang-format clang-tidy shellcheck"
	[day]="logrotate plocate"
	[package]="debhelper dpkg-dev lintian debootstrap"
	[bench]="auditd bpftrace python3"
	[fuzz]="libclang-rt-dev"
)
# Services that these packages would start, now and at boot.
services="redis-server auditd prometheus prometheus-node-exporter stunnel4 haproxy rsyslog prometheus-alertmanager"

policy=/usr/sbin/policy-rc.d
saved=$policy.before-cachewarden
mark="cachewarden deps.sh: no services while installing"

# Prints the packages of the list that are not installed.
missing()
{
	# shellcheck disable=SC2016 # variables of dpkg-query
	dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
		awk -v want="$*" '$2 == "installed" { have[$1] = 1 }
			END {
				n = split(want, p, /[ \t\n]+/)
				for (i = 1; i <= n; i++)
					if (!(p[i] in have))
						print p[i]
			}'
}

# The tests start their own Redis and auditd, so no package may start a service. Debian's maintainer scripts
# ask policy-rc.d first; ours refuses during the installation, and the previous one is restored, also after an
# interruption. (RUNLEVEL=1 is not enough: deb-systemd-invoke ignores it.)
forbid_services()
{
	if [ -x "$policy" ] && ! grep -qs "$mark" "$policy"; then
		"$policy" redis-server start >/dev/null 2>&1
		[ $? = 101 ] && return # already forbidden, as in most containers
	fi
	restore_policy # left over from a run that was killed
	if [ -e "$policy" ] || [ -L "$policy" ]; then
		mv "$policy" "$saved"
	fi
	printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" >"$policy"
	chmod 755 "$policy"
}

restore_policy()
{
	grep -qs "$mark" "$policy" || return 0
	rm -f "$policy"
	if [ -e "$saved" ] || [ -L "$saved" ]; then
		mv "$saved" "$policy"
	fi
}

# Disables at boot the services that were installed by this run.
disable_services()
{
	local name

	command -v update-rc.d >/dev/null || return 0
	for name in $services; do
		case " $* " in
		*" $name "*) update-rc.d "$name" disable >/dev/null 2>&1 ;;
		esac
	done
	return 0
}

[ $# -gt 0 ] || set -- build
wanted=
for name; do
	if [ -z "${group[$name]-}" ]; then
		echo "deps.sh: unknown group '$name'; expected one of: ${!group[*]}" >&2
		exit 2
	fi
	wanted+=" ${group[$name]}"
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "deps.sh: this system has no apt; install the equivalents of:$wanted" >&2
	exit 3
fi
# shellcheck disable=SC2046,SC2086 # lists of package names
set -- $(missing $wanted)
[ $# -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "deps.sh: missing packages: $*" >&2
	echo "deps.sh: to install them, run as root: apt-get install $*" >&2
	exit 3
fi
echo "deps.sh: installing $*"
log=$(mktemp)
trap 'rm -f "$log"; restore_policy' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
forbid_services
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get -q update && apt-get -qy --no-install-recommends install "$@"; } >"$log" 2>&1 </dev/null; then
	tail -n 15 "$log" >&2
	echo "deps.sh: apt-get failed to install: $*" >&2
	exit 3
fi
disable_services "$@"
