#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# deb-chroot.sh - `make deb-check`, as root: install, upgrade, remove and purge the package of `make deb` in a chroot that
# debootstrap makes, once, in build/package/chroot: Debian with systemd, redis-server and the package's dependencies. No service
# runs there. Prints TAP.
# shellcheck disable=SC2317 # functions are called by check
set -u
cd "$(dirname "$0")/../.." || exit 1

root=build/package/chroot
debs=(build/deb/cachewarden_*.deb)
tests=0
failed=0

check()
{
	local name=$1

	shift
	tests=$((tests + 1))
	if "$@" >"$root.log" 2>&1 </dev/null; then
		echo "ok $tests - $name"
	else
		echo "not ok $tests - $name"
		sed 's/^/# /' "$root.log"
		failed=$((failed + 1))
	fi
}

inside()
{
	DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
}

# Deep enough: make includes *.d of the first three levels of build/, and /etc is full of them.
make_root()
{
	[ ! -e "$root/made" ] || return 0
	rm -rf "$root"
	mkdir -p "${root%/*}"
	debootstrap --variant=minbase --include="systemd-sysv,redis-server,procps,$(dpkg-deb -f "${debs[0]}" Depends | sed 's/ ([^)]*)//g; s/ //g')" \
		bookworm "$root" || return 1
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	touch "$root/made"
}

installed()
{
	inside dpkg -i /package.deb && inside cachewarden version && inside cachewarden policy check /etc/cachewarden/policy.yaml
}

enabled()
{
	inside systemctl is-enabled cachewarden.service && ! inside systemctl is-enabled cachewarden-metrics.socket
}

# The administrator's policy stays, whatever the package brings.
upgraded()
{
	echo "# mine" >>"$root/etc/cachewarden/policy.yaml"
	inside dpkg -i --force-confold /package.deb && grep '^# mine$' "$root/etc/cachewarden/policy.yaml"
}

removed()
{
	inside dpkg -r cachewarden && [ -e "$root/etc/cachewarden/policy.yaml" ] && [ ! -e "$root/usr/sbin/cachewarden" ]
}

# Evidence is not the package's: it stays.
purged()
{
	mkdir -p "$root/var/lib/cachewarden/evidence"
	inside dpkg -P cachewarden || return 1
	rmdir "$root/var/lib/cachewarden/evidence" "$root/var/lib/cachewarden" || return 1
	! find "$root" -xdev -name '*cachewarden*' | grep .
}

[ -e "${debs[0]}" ] || { echo "Bail out! no package: make deb"; exit 1; }
echo "1..6"
check "a chroot is made" make_root
cp "${debs[0]}" "$root/package.deb" || exit 1
check "it is installed, and works" installed
check "the service is enabled, the metrics' socket is not" enabled
check "an upgrade keeps the administrator's policy" upgraded
check "removal leaves the policy" removed
check "a purge leaves the evidence, and nothing else" purged
exit $((failed != 0))
