#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# boot.sh [LANE] - `make boot`, as root: boot Debian with systemd as pid 1 on the lane's kernel, with a redis-server and the package
# of `make deb` installed, and let boot-probe.sh see what the service does. Prints TAP. The system is the chroot of
# tests/scripts/deb-chroot.sh; it runs from memory.
set -u
cd "$(dirname "$0")/../.." || exit 1

lane=${1:-6.12}
guest_timeout=1200 # seconds
chroot=build/package/chroot
debs=(build/deb/cachewarden_*.deb)
slow="getty-static.service e2scrub_reap.service systemd-random-seed.service getty@tty1.service serial-getty@ttyS0.service"

die()
{
	echo "Bail out! $*"
	exit 1
}

[ -e "${debs[0]}" ] || die "no package: make deb"
[ -e "$chroot/made" ] || die "no chroot: make deb-check"
[ -e "build/lanes/$lane/vmlinux" ] || die "no kernel: tests/lanes/lanes.sh -c true $lane"

work=$(mktemp -d build/lanes/boot.XXXXXX)
trap 'rm -rf "$work"' EXIT
root=$work/root
cp -a "$chroot" "$root" || die "no room"
cp "${debs[0]}" "$root/package.deb" || die "no room"
DEBIAN_FRONTEND=noninteractive chroot "$root" dpkg -i /package.deb >"$work/log" 2>&1 || die "$(cat "$work/log")"
for unit in $slow; do
	ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
install -m 755 tests/lanes/boot-probe.sh "$root/probe"
cat >"$root/etc/systemd/system/probe.service" <<-UNIT
	[Unit]
	After=cachewarden.service redis-server.service
	[Service]
	Type=oneshot
	ExecStart=/probe
	StandardOutput=file:/dev/ttyS1
	TimeoutStartSec=infinity
	[Install]
	WantedBy=multi-user.target
UNIT
systemctl --quiet --root="$root" enable probe.service redis-server.service cachewarden-metrics.socket 2>"$work/log" ||
	die "$(cat "$work/log")"
echo lane >"$root/etc/hostname"
(cd "$root" && find . \( -path ./usr/share/doc -o -path ./usr/share/locale -o -path ./var/lib/apt/lists -o \
	-path ./var/cache/apt -o -path ./package.deb \) -prune -o -print | LC_ALL=C sort |
	cpio -o -H newc --quiet) >"$work/cpio" || die "no room"

# As in lanes.sh: its clock counts instructions, so that a guest that the host starves sees no delay.
timeout -k 5 $guest_timeout qemu-system-x86_64 -M pc -accel tcg,thread=single -icount shift=0,sleep=off -smp 1 -cpu max \
	-m 1536 -nodefaults -no-user-config -display none -no-reboot -serial "file:$work/console" \
	-serial "file:$work/out" -kernel "build/lanes/$lane/vmlinux" -initrd "$work/cpio" \
	-append "console=ttyS0 quiet panic=-1 no_timer_check tsc=reliable clocksource=tsc rdinit=/sbin/init" </dev/null
tr -d '\r' <"$work/out"
if ! grep -q '^ok 15 ' "$work/out" || grep -q '^not ok' "$work/out"; then
	tail -n 20 "$work/console" | sed 's/^/# /'
	exit 1
fi
