#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# lanes.sh [-t PATTERN]... [LANE...] - boot each lane's kernel in emulation, run doctor and the live tests there, and
# print TAP. Without LANE, all lanes of lanes.list. -t runs only live tests whose name contains PATTERN; may be repeated.
# lanes.sh -s LANE - open a shell in that guest.
# lanes.sh -c COMMAND [-b PROGRAMS] LANE - run a shell command in that guest, in /repo, and print its output. -b is for
# measurements: it adds these programs of this machine, separated by spaces, and memory for them, and takes away the
# instructions that copy any number of bytes at once, which the clock counts as one for each byte.
#
# Run `make all tests` first. README.md describes the parts.
set -u
cd "$(dirname "$0")/../.." || exit 1

lanes_dir=tests/lanes
cache=build/lanes
max_guests=2       # at a time
guest_timeout=2700 # seconds
packages="qemu-system-x86 busybox-static cpio zstd xz-utils lz4 kmod"

die()
{
	echo "lanes.sh: $*" >&2
	exit 3
}

# Installs the packages above that are missing. Runs no services, like tests/scripts/deps.sh.
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
		--no-install-recommends install $missing; } >"$cache/apt.log" 2>&1 </dev/null ||
		die "apt-get could not install:" $missing
}

# Prints the fields of a lane in lanes.list, without its name.
lane_fields()
{
	awk -v lane="$1" '!/^#/ && $1 == lane { $1 = ""; print; exit }' $lanes_dir/lanes.list
}

# Downloads the lane's kernel to $cache/LANE, one at a time. Prints the reason if there is none.
kernel()
{
	local expect suites

	read -r expect suites < <(lane_fields "$1")
	# shellcheck disable=SC2086 # a list
	flock "$cache/kernels.lock" $lanes_dir/kernel.sh "$1" "$cache/$1" $suites
}

# lane_files LANE - pack the guest's files to $work/LANE.cpio. The tests to run are in $work/LANE.tests.
lane_files()
{
	awk -F '\t' '
		FNR == NR { if (!/^#/ && NF > 1) skip[$1] = 1; next }
		{
			for (part in skip)
				if (index($0, part))
					next
			print
		}' $lanes_dir/skip.list "$work/tests" >"$work/$1.tests"
	$lanes_dir/guest.sh lane "$work/$1.part" "$cache/$1" "$work/$1.tests" "$command" || return 1
	cat "$work/root.cpio" "$work/$1.part" >"$work/$1.cpio"
}

# guest LANE MODE SERIAL... - run the guest until it powers off. Its clock counts the instructions it executes, one
# nanosecond each, and leaps over idle time: a guest that the host starves becomes slower, but sees no delay, and a test
# that waits costs nothing. That takes one CPU; two spin until each has its turn. no_timer_check, tsc: the kernel's own
# checks of its clocks at boot assume real time. -erms, -fsrm: code that copies chooses "rep movsb" if it is said to be
# fast, and the emulator executes it byte by byte.
guest()
{
	local lane=$1 guest_mode=$2 clock=(-icount "shift=0,sleep=off")

	shift 2
	[ "$guest_mode" != shell ] || clock=() # who types would be late
	timeout -k 5 --foreground $guest_timeout qemu-system-x86_64 -M pc -accel tcg,thread=single \
		"${clock[@]}" -smp 1 -cpu max,-erms,-fsrm -m "$memory" -nodefaults -no-user-config -display none -no-reboot \
		-pidfile "$work/$lane.pid" "$@" \
		-kernel "$cache/$lane/vmlinux" -initrd "$work/$lane.cpio" \
		-append "console=ttyS0 quiet panic=-1 no_timer_check tsc=reliable clocksource=tsc \
			lane.mode=$guest_mode lane.name=$lane"
}

# lane LANE - run one lane and print TAP without test numbers
lane()
{
	local lane=$1 expect name reason

	read -r expect _ < <(lane_fields "$lane")
	name=$(cut -d . -f 1-2 "$cache/$lane/release")
	if ! reason=$(lane_files "$lane" 2>&1); then
		echo "not ok - [$name] lane: its files can be put together"
		echo "# [$name] $reason"
		return
	fi
	guest "$lane" "$expect" -serial "file:$cache/$lane/console" -serial stdio 2>&1 </dev/null |
		busybox awk -v name="$name" -v expect="$expect" -v console="$cache/$lane/console" \
			-f $lanes_dir/tap.awk "$lanes_dir/skip.list" "$work/tests" "$work/$lane.tests" -
}

# Numbers the tests. busybox awk, here and above, processes each line at once; others read whole blocks.
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
	local lane name reason

	for lane in $lanes; do
		[ -d "$work" ] || return
		if reason=$(kernel "$lane"); then
			while [ "$(jobs -rp | wc -l)" -ge $max_guests ]; do
				wait -n
			done
			lane "$lane" &
		else
			echo "ok - [$lane] lane # SKIP no package: $reason"
		fi
	done
	wait
}

# Ends the guests, by the pids in their pid files.
clean_up()
{
	local pids

	pids=$(cat "$work"/*.pid 2>/dev/null)
	rm -rf "$work"
	# shellcheck disable=SC2086 # a list
	[ -z "$pids" ] || kill $pids 2>/dev/null
}

patterns=()
mode=
command=
programs=
memory=1024 # MiB
while getopts t:sc:b: option; do
	case $option in
	t) patterns+=("$OPTARG") ;;
	s) mode=shell ;;
	c) mode=command command=$OPTARG ;;
	b) programs=$OPTARG memory=2048 ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
lanes=${*:-$(awk '!/^#/ { print $1 }' $lanes_dir/lanes.list)}
for lane in $lanes; do
	if [ -z "$(lane_fields "$lane")" ]; then
		echo "lanes.sh: unknown lane '$lane', not in $lanes_dir/lanes.list" >&2
		exit 2
	fi
done
if [ ! -x build/cachewarden ] || [ ! -x build/cachewarden-live ]; then
	die "build/ is incomplete: run make all tests"
fi
mkdir -p $cache
install_missing
work=$(mktemp -d $cache/work.XXXXXX)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
# shellcheck disable=SC2086 # a list
$lanes_dir/guest.sh root "$work/root.cpio" $programs || die "cannot pack the guest's files"

if [ -n "$mode" ]; then
	: >"$work/tests"
	reason=$(kernel "$lanes") || die "no package: $reason"
	lane_files "$lanes" || exit 3
	if [ "$mode" = shell ]; then
		guest "$lanes" shell -serial mon:stdio
	else
		guest "$lanes" command -serial "file:$cache/$lanes/console.command" -serial stdio </dev/null |
			sed -un '/^lane: /!p'
	fi
	exit
fi
build/cachewarden-live -l >"$work/all"
if [ ${#patterns[@]} != 0 ]; then
	grep -F "$(printf '%s\n' "${patterns[@]}")" "$work/all" >"$work/tests"
else
	grep -v -e '^interplay: ' -e '^soak: ' "$work/all" >"$work/tests" # these take minutes each
fi
all_lanes | number & # in the background, because a trap waits for a foreground job
wait $!
