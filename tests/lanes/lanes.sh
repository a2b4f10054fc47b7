#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# lanes.sh [-t PATTERN]... [LANE...] - boot each lane's kernel in emulation, and say in TAP what
# doctor and the live tests find there; all lanes of lanes.list if none is named. -t: only live
# tests whose name contains PATTERN; several add up.
# lanes.sh -s LANE - a shell in that guest.
# lanes.sh -c COMMAND LANE - run a shell command in that guest, in /repo, and print its output.
#
# Needs `make all tests`. What it is made of and where it is kept: README.md beside this file.
set -u
cd "$(dirname "$0")/../.." || exit 1

here=tests/lanes
kept=build/lanes
at_once=2      # guests; each has two CPUs of its own
guest_time=1800 # seconds, then a guest is given up
packages="qemu-system-x86 busybox-static cpio zstd xz-utils lz4 kmod"

die()
{
	echo "lanes.sh: $*" >&2
	exit 3
}

# The packages above, by the rules of tests/scripts/deps.sh: nothing starts.
install_missing()
{
	local missing

	# shellcheck disable=SC2016,SC2086 # dpkg-query's own variables; a list
	missing=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $packages 2>/dev/null |
		awk -v want="$packages" '$2 == "installed" { have[$1] = 1 }
			END {
				n = split(want, p)
				for (i = 1; i <= n; i++)
					if (!(p[i] in have))
						print p[i]
			}')
	[ -n "$missing" ] || return 0
	# shellcheck disable=SC2086 # a list
	{ apt-get -q update && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qy \
		--no-install-recommends install $missing; } >"$kept/apt.log" 2>&1 </dev/null ||
		die "apt-get could not install:" $missing
}

# Fields of a lane's line in lanes.list.
entry()
{
	awk -v lane="$1" '!/^#/ && $1 == lane { $1 = ""; print; exit }' $here/lanes.list
}

# Its kernel, in $kept/LANE; prints why there is none.
kernel()
{
	local expect suites

	read -r expect suites < <(entry "$1")
	# shellcheck disable=SC2086 # a list
	$here/kernel.sh "$1" "$kept/$1" $suites
}

# lane_files LANE - the guest's files in $work/LANE.cpio, and the tests it is to run in $work/LANE.tests
lane_files()
{
	awk -F '\t' '
		FNR == NR { if (!/^#/ && NF > 1) skip[$1] = 1; next }
		{
			for (part in skip)
				if (index($0, part))
					next
			print
		}' $here/skip.list "$work/tests" >"$work/$1.tests"
	$here/guest.sh lane "$work/$1.part" "$kept/$1" "$work/$1.tests" "$command" || return 1
	cat "$work/root.cpio" "$work/$1.part" >"$work/$1.cpio"
}

# guest LANE DO SERIAL... - run it to its end. no_timer_check: on a loaded host the emulated timer fires too late for
# the kernel's test of it ("IO-APIC + timer doesn't work").
guest()
{
	local lane=$1 verb=$2

	shift 2
	timeout -k 5 --foreground $guest_time qemu-system-x86_64 -M pc -accel tcg,thread=single \
		-smp 2 -cpu max -m 1024 -nodefaults -no-user-config -display none -no-reboot \
		-pidfile "$work/$lane.pid" "$@" \
		-kernel "$kept/$lane/vmlinux" -initrd "$work/$lane.cpio" \
		-append "console=ttyS0 quiet panic=-1 no_timer_check lane.do=$verb lane.name=$lane"
}

# lane LANE - one lane to TAP without numbers
lane()
{
	local lane=$1 expect name why

	read -r expect _ < <(entry "$lane")
	name=$(cut -d . -f 1-2 "$kept/$lane/release")
	if ! why=$(lane_files "$lane" 2>&1); then
		echo "not ok - [$name] lane: its files can be put together"
		echo "# [$name] $why"
		return
	fi
	guest "$lane" "$expect" -serial "file:$kept/$lane/console" -serial stdio 2>&1 </dev/null |
		busybox awk -v name="$name" -v expect="$expect" -v console="$kept/$lane/console" \
			-f $here/tap.awk "$here/skip.list" "$work/tests" "$work/$lane.tests" -
}

# busybox awk, here and below: it takes a line when there is one; others wait for a block.
number()
{
	busybox awk '
		/^(not )?ok / {
			at = index($0, "ok ")
			n++
			printf "%s%d%s\n", substr($0, 1, at + 2), n, substr($0, at + 2)
			bad += /^not / && !/ # (TODO|SKIP)/
			fflush()
			next
		}
		{ print; fflush() }
		END { printf "1..%d\n", n; exit(bad ? 1 : 0) }'
}

all_lanes()
{
	local lane name why

	for lane in $lanes; do
		[ -d "$work" ] || return
		if why=$(kernel "$lane"); then
			while [ "$(jobs -rp | wc -l)" -ge $at_once ]; do
				wait -n
			done
			lane "$lane" &
		else
			echo "ok - [$lane] lane # SKIP no package: $why"
		fi
	done
	wait
}

# The guests end with us, however we end.
clean_up()
{
	local pids

	pids=$(cat "$work"/*.pid 2>/dev/null)
	rm -rf "$work"
	# shellcheck disable=SC2086 # a list
	[ -z "$pids" ] || kill $pids 2>/dev/null
}

patterns=()
verb=
command=
while getopts t:sc: option; do
	case $option in
	t) patterns+=("$OPTARG") ;;
	s) verb=shell ;;
	c) verb=command command=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
lanes=${*:-$(awk '!/^#/ { print $1 }' $here/lanes.list)}
for lane in $lanes; do
	if [ -z "$(entry "$lane")" ]; then
		echo "lanes.sh: no lane '$lane' in $here/lanes.list" >&2
		exit 2
	fi
done
if [ ! -x build/cachewarden ] || [ ! -x build/cachewarden-live ]; then
	die "build/ is not complete: make all tests"
fi
mkdir -p $kept
install_missing
work=$(mktemp -d $kept/work.XXXXXX)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
$here/guest.sh root "$work/root.cpio" || die "the guest's files cannot be put together"

if [ -n "$verb" ]; then
	: >"$work/tests"
	why=$(kernel "$lanes") || die "no package: $why"
	lane_files "$lanes" || exit 3
	if [ "$verb" = shell ]; then
		guest "$lanes" shell -serial mon:stdio
	else
		guest "$lanes" command -serial "file:$kept/$lanes/console" -serial stdio </dev/null |
			sed -n '/^lane: /!p'
	fi
	exit
fi
build/cachewarden-live -l >"$work/all"
if [ ${#patterns[@]} != 0 ]; then
	grep -F "$(printf '%s\n' "${patterns[@]}")" "$work/all" >"$work/tests"
else
	grep -v -e '^interplay: ' -e '^soak: ' "$work/all" >"$work/tests" # minutes each
fi
all_lanes | number & # a trap does not wait for it
wait $!
