#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# deps.sh GROUP... - install what a group (build, test, bench) needs and is not there yet, with apt.
#
# Silent and quick when nothing is missing: one question to dpkg, no network. Exit 3 when something is
# missing and cannot be installed, 2 on a wrong group.
set -u

declare -A group=(
	[build]="clang llvm libbpf-dev libelf-dev zlib1g-dev libssl-dev libyaml-dev libjansson-dev
		 bpftool pkg-config make gcc
		 linux-libc-dev libc6-dev redis-server redis-tools openssl procps"
	[test]="libcmocka-dev iproute2 util-linux gdb strace
		ltrace scanmem reptyr procdump criu lldb linux-perf bpftrace lsof psmisc htop
		prometheus-node-exporter tshark gnutls-bin libnss3-tools nodejs openjdk-17-jdk-headless
		sslscan testssl.sh stunnel4 haproxy cargo librust-rustls-dev
		python3 clang-format clang-tidy shellcheck"
	[bench]="auditd bpftrace python3"
	[fuzz]="libclang-rt-dev"
)
services="redis-server auditd prometheus-node-exporter stunnel4 haproxy" # started, and enabled at boot, by their packages

policy=/usr/sbin/policy-rc.d
saved=$policy.before-cachewarden
mark="cachewarden deps.sh: no services while installing"

# Packages of the list that are not installed.
missing()
{
	# shellcheck disable=SC2016 # dpkg-query's own variables
	dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
		awk -v want="$*" '$2 == "installed" { have[$1] = 1 }
			END {
				n = split(want, p, /[ \t\n]+/)
				for (i = 1; i <= n; i++)
					if (!(p[i] in have))
						print p[i]
			}'
}

# Redis and auditd are wanted as programs, not as services. Debian's maintainer scripts ask policy-rc.d
# before they start one: it says no while we install, and whatever stood there is put back, also when we
# are interrupted. (RUNLEVEL=1 is not enough: deb-systemd-invoke does not look at it.)
forbid_services()
{
	if [ -x "$policy" ] && ! grep -qs "$mark" "$policy"; then
		"$policy" redis-server start >/dev/null 2>&1
		[ $? = 101 ] && return # already forbidden, as in most containers
	fi
	put_policy_back # of a run that was killed
	if [ -e "$policy" ] || [ -L "$policy" ]; then
		mv "$policy" "$saved"
	fi
	printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" >"$policy"
	chmod 755 "$policy"
}

put_policy_back()
{
	grep -qs "$mark" "$policy" || return 0
	rm -f "$policy"
	if [ -e "$saved" ] || [ -L "$saved" ]; then
		mv "$saved" "$policy"
	fi
}

# Nor at the next boot: only for services that came with this run.
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
		echo "deps.sh: no group '$name' (there are: ${!group[*]})" >&2
		exit 2
	fi
	wanted+=" ${group[$name]}"
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "deps.sh: no apt here; install by hand what matches:$wanted" >&2
	exit 3
fi
# shellcheck disable=SC2046,SC2086 # lists of package names
set -- $(missing $wanted)
[ $# -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "deps.sh: missing packages: $*" >&2
	echo "deps.sh: installing them needs root: sudo apt-get install $*" >&2
	exit 3
fi
echo "deps.sh: installing $*"
log=$(mktemp)
trap 'rm -f "$log"; put_policy_back' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
forbid_services
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get -q update && apt-get -qy --no-install-recommends install "$@"; } >"$log" 2>&1 </dev/null; then
	tail -n 15 "$log" >&2
	echo "deps.sh: apt-get could not install: $*" >&2
	exit 3
fi
disable_services "$@"
