#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# check.sh [unit] - run the tests that `make tests` built, and sum up their TAP.
#
# `unit` runs the unit tests, the fuzzers (if they are built) and lint. Without it, the live tests run on this
# kernel, which mostly wait: two pairs of parts side by side, then what must be alone. Beside them and at low
# priority run the tests in $lane_tests on emulated kernels, and after one another the unit tests, lint, the fuzzers and
# clang-tidy. Their output is printed afterwards. What the monitor costs on an emulated kernel is measured last, alone.
#
# All TAP is passed on. A program that crashes, does not finish its plan, or runs no test counts as one failure.
# The failures are repeated at the end, with their diagnostics. The last line is the sum. Exit 1 if anything failed.
set -u
cd "$(dirname "$0")/../.." || exit 1

# Other hooks serve these there, and the clock of a guest can be set. The rest: make corpus.
lane_tests=("memory:" "calls:" "files:" "sweep:" "evidence-actors: a clock" "evidence faults: a clock")
lane_kernels="5.10 6.1 6.12"

passed=0
failed=0
skipped=0
lanes=
live=
offline=
scratch=$(mktemp -d)
failures=$scratch/failures
: >"$failures"

# lanes.sh ends its guests, and the live tests their children, when they get SIGTERM.
clean_up()
{
	[ -z "$live" ] || kill "$live" 2>/dev/null
	[ -z "$lanes" ] || kill "$lanes" 2>/dev/null
	[ -z "$offline" ] || kill -- -"$offline" 2>/dev/null
	rm -rf "$scratch"
}

# A mistake in this script is no success. Bash calls this in a subshell.
command_not_found_handle()
{
	echo "check.sh: $1: no such command" >&2
	kill $$
}

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail()
{
	echo "not ok - $*" | tee -a "$failures"
	failed=$((failed + 1))
}

# Prints "passed failed skipped planned bailed-out all-skipped" for a file of TAP. planned is -1 without a plan.
# cmocka writes a skipped test as "not ok N # SKIP name", other programs as "ok N ... # SKIP reason". A test
# marked TODO is a known blind spot and counts as skipped when it fails.
count_tap()
{
	awk '
		{ line = toupper($0) }
		line ~ /^1\.\.[0-9]+/ {
			plans++
			planned += substr($1, 4)
			if ($1 == "1..0" && line ~ /# *SKIP/)
				all_skipped = 1
		}
		line ~ /^(NOT )?OK([ \t]|$)/ {
			if (line ~ /# *SKIP/)
				skip++
			else if (line ~ /^OK/)
				ok++
			else if (line ~ /# *TODO/)
				skip++
			else
				not_ok++
		}
		line ~ /^BAIL OUT!/ { bail = 1 }
		END { print ok + 0, not_ok + 0, skip + 0, plans ? planned : -1, bail + 0, all_skipped + 0 }
	' "$1"
}

# Prints the failed tests of a file of TAP with the diagnostics that follow each. The lines of two lanes are
# interleaved; the lane's name in brackets tells them apart.
failures_of()
{
	awk '
		/^(not )?ok / {
			lane = match($0, /\[[^]]*\]/) ? substr($0, RSTART, RLENGTH) : ""
			bad[lane] = /^not ok / && !/# *(TODO|SKIP)/
			if (bad[lane])
				print
			next
		}
		/^#/ {
			lane = match($0, /^# \[[^]]*\]/) ? substr($0, 3, RLENGTH - 2) : ""
			if (bad[lane] && !/^# (\[[^]]*\] )?caught /)
				print
		}
	' "$1"
}

# tally NAME STATUS FILE - add the TAP in FILE, printed by a program that exited with STATUS, to the sum
tally()
{
	local name=$1 status=$2 ok not_ok skip planned bail all_skipped ran

	read -r ok not_ok skip planned bail all_skipped < <(count_tap "$3")
	failures_of "$3" >>"$failures"
	passed=$((passed + ok))
	failed=$((failed + not_ok))
	skipped=$((skipped + skip))
	ran=$((ok + not_ok + skip))

	if [ "$status" -gt 128 ]; then
		fail "$name: killed by signal $((status - 128)) (exit status $status) after $ran tests"
	elif [ "$bail" = 1 ]; then
		fail "$name: bailed out after $ran tests, exit status $status"
	elif [ "$planned" = -1 ]; then
		fail "$name: no plan, exit status $status after $ran tests"
	elif [ "$planned" != "$ran" ]; then
		fail "$name: $planned tests planned, $ran ran, exit status $status"
	elif [ "$all_skipped" = 1 ] && [ "$status" = 0 ]; then
		skipped=$((skipped + 1))
	elif [ "$ran" = 0 ]; then
		fail "$name: no test ran, exit status $status"
	elif [ "$status" != 0 ] && [ "$not_ok" = 0 ]; then
		fail "$name: every test passed but exit status is $status"
	fi
}

# run_tap NAME COMMAND... - NAME is only used to report what goes wrong outside the tests
run_tap()
{
	local name=$1 tap=$scratch/tap.$BASHPID

	shift
	echo "# $name"
	CMOCKA_MESSAGE_OUTPUT=TAP "$@" | tee "$tap"
	tally "$name" "${PIPESTATUS[0]}" "$tap"
}

unit_tests()
{
	local unit

	for unit in build/unit/test_*; do
		case $unit in
		*.d | *.o) continue ;; # left by the compiler
		esac
		if [ -x "$unit" ]; then
			run_tap "${unit#build/}" "$unit"
		else
			fail "unit: nothing built; make tests"
		fi
	done
	for unit in tests/unit/test_*.py; do
		one_test "$unit" "$unit"
	done
}

# one_test NAME COMMAND... - a command that is one test. What it prints is shown if it fails, and the last line if it
# exits with 3, which means that it cannot run here.
one_test()
{
	local name=$1 output=$scratch/output.$BASHPID

	shift
	"$@" >"$output" 2>&1
	case $? in
	0)
		echo "ok - $name"
		passed=$((passed + 1))
		;;
	3)
		echo "ok - $name # SKIP $(tail -n 1 "$output")"
		skipped=$((skipped + 1))
		;;
	*)
		fail "$name"
		tail -n 20 "$output" | sed 's/^/# /' | tee -a "$failures"
		;;
	esac
}

# A short run of each fuzzer that is built; `make fuzz` is the long one.
fuzzers()
{
	local fuzzer

	for fuzzer in build/fuzz/fuzz_*; do
		if [ ! -x "$fuzzer" ] || [ ! -f "$fuzzer" ]; then
			continue
		fi
		mkdir -p "$fuzzer.new"
		one_test "${fuzzer##*/}: 50000 runs" "$fuzzer" -runs=50000 -max_total_time=30 -max_len=4096 \
			-verbosity=0 -artifact_prefix=build/fuzz/ "$fuzzer.new" tests/policies/wrong
	done
}

# All that leaves this kernel alone. The last line of its output is its sum.
offline_start()
{
	set -m # a process group of its own, to be ended as one
	{
		unit_tests
		one_test lint tests/scripts/lint.py
		one_test "what make install installs" tests/scripts/installed.sh
		one_test "what make dist packs" tests/scripts/dist-check.py
		one_test "the fuzzers can be built" make --no-print-directory fuzzers
		fuzzers
		one_test "analyze (clang-tidy)" make --no-print-directory analyze
		echo "$passed $failed $skipped"
	} >"$scratch/offline" 2>&1 </dev/null &
	offline=$!
	set +m
	renice -n 10 -g "$offline" >/dev/null
	echo "# unit tests, lint, fuzzers, analyze: beside the tests below"
}

offline_end()
{
	local ok not_ok skip

	wait "$offline"
	offline=
	sed '$d' "$scratch/offline"
	if read -r ok not_ok skip < <(tail -n 1 "$scratch/offline" | grep -xE '[0-9]+ [0-9]+ [0-9]+'); then
		passed=$((passed + ok))
		failed=$((failed + not_ok))
		skipped=$((skipped + skip))
	else
		fail "the unit tests did not run to their end"
	fi
}

# live_pair PART OTHER - two parts of the live tests side by side
live_pair()
{
	local status

	build/cachewarden-live -o "$2" >"$scratch/live" 2>&1 </dev/null &
	live=$!
	run_tap "cachewarden-live, part $1" build/cachewarden-live -o "$1"
	echo "# cachewarden-live, part $2"
	tail -n +1 -f --pid="$live" "$scratch/live"
	wait "$live"
	status=$?
	live=
	tally "cachewarden-live, part $2" "$status" "$scratch/live"
}

# The parts are described in tests/live/harness.c.
live()
{
	if [ ! -x build/cachewarden-live ]; then
		fail "cachewarden-live: not built; make tests"
		return
	fi
	live_pair left right
	live_pair floods monitors
	run_tap "cachewarden-live, part alone" build/cachewarden-live -o alone
}

lanes_start()
{
	local test args=()

	for test in "${lane_tests[@]}"; do
		args+=(-t "$test")
	done
	# shellcheck disable=SC2086 # a list
	nice -n 10 tests/lanes/lanes.sh "${args[@]}" $lane_kernels >"$scratch/lanes" 2>&1 </dev/null &
	lanes=$!
	echo "# lanes $lane_kernels: beside the tests below"
}

lanes_end()
{
	local status

	echo "# lanes"
	tail -n +1 -f --pid="$lanes" "$scratch/lanes"
	wait "$lanes"
	status=$?
	lanes=
	tally lanes "$status" "$scratch/lanes"
}

if [ "${1-}" = unit ]; then
	unit_tests
	fuzzers
	one_test "what make install installs" tests/scripts/installed.sh
	one_test lint tests/scripts/lint.py
else
	lanes_start
	offline_start
	live
	offline_end
	lanes_end
	# what a server in the guest does hangs on when its packets arrive, and that on what else the host does
	one_test "cost-check: no cost grew" tests/bench/exact.py --check
fi

[ ! -s "$failures" ] || { echo "# what failed:" && sed 's/^/# /' "$failures"; }
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
