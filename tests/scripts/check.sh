#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# check.sh [unit] - run the tests that `make tests` built and count what they say in TAP: the unit tests,
# the fuzzers that are built, lint, then (without `unit`) the live tests on this kernel, and the tests of memory, rare calls, files
# and sweeps on other kernels in emulation.
#
# What they print is passed on. A program that crashes, stops before its plan is done, or runs no test at
# all counts as one failure. At the end stand all failures again, with what was said of them: thousands of lines
# lie between. The last line is the sum; exit 1 if anything failed.
set -u
cd "$(dirname "$0")/../.." || exit 1

passed=0
failed=0
skipped=0
out=$(mktemp)
failures=$(mktemp)
trap 'rm -f "$out" "$failures"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail()
{
	echo "not ok - $*" | tee -a "$failures"
	failed=$((failed + 1))
}

# run_tap NAME COMMAND... - NAME is only for what goes wrong beside the tests themselves
run_tap()
{
	local name=$1 status ok not_ok skip planned bail whole ran

	shift
	echo "# $name"
	CMOCKA_MESSAGE_OUTPUT=TAP "$@" | tee "$out"
	status=${PIPESTATUS[0]}
	# cmocka writes a skipped test as "not ok N # SKIP name", others as "ok N ... # SKIP why"
	read -r ok not_ok skip planned bail whole < <(awk '
		{ line = toupper($0) }
		line ~ /^1\.\.[0-9]+/ {
			plans++
			planned += substr($1, 4)
			if ($1 == "1..0" && line ~ /# *SKIP/)
				whole = 1
		}
		line ~ /^(NOT )?OK([ \t]|$)/ {
			if (line ~ /# *SKIP/)
				skip++
			else if (line ~ /^OK/)
				ok++
			else if (line ~ /# *TODO/) # a known blind spot, named there: no failure, and no pass
				skip++
			else
				not_ok++
		}
		line ~ /^BAIL OUT!/ { bail = 1 }
		END { print ok + 0, not_ok + 0, skip + 0, plans ? planned : -1, bail + 0, whole + 0 }
	' "$out")
	# a test's own lines follow its verdict; those of two lanes are mixed, by their names in brackets
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
	' "$out" >>"$failures"
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
	elif [ "$whole" = 1 ] && [ "$status" = 0 ]; then
		skipped=$((skipped + 1))
	elif [ "$ran" = 0 ]; then
		fail "$name: no test ran, exit status $status"
	elif [ "$status" != 0 ] && [ "$not_ok" = 0 ]; then
		fail "$name: every test passed but exit status is $status"
	fi
}

units=(build/unit/test_*)
for unit in "${units[@]}"; do
	case $unit in
	*.d | *.o) continue ;; # what the compiler left
	esac
	if [ -x "$unit" ]; then
		run_tap "${unit#build/}" "$unit"
	else
		fail "unit: nothing built; make tests"
	fi
done

# a short run, where make check built them; the long one is make fuzz
for fuzzer in build/fuzz/fuzz_*; do
	[ -x "$fuzzer" ] && [ -f "$fuzzer" ] || continue
	mkdir -p "$fuzzer.new"
	if "$fuzzer" -runs=50000 -max_total_time=30 -max_len=4096 -verbosity=0 -artifact_prefix=build/fuzz/ \
		"$fuzzer.new" tests/policies/wrong >"$out" 2>&1; then
		echo "ok - ${fuzzer##*/}: 50000 runs"
		passed=$((passed + 1))
	else
		tail -n 20 "$out" | sed 's/^/# /'
		fail "${fuzzer##*/}"
	fi
done

if tests/scripts/lint.sh; then
	echo "ok - lint"
	passed=$((passed + 1))
else
	fail lint
fi

if [ "${1-}" != unit ]; then
	if [ -x build/cachewarden-live ]; then
		run_tap cachewarden-live build/cachewarden-live
	else
		fail "cachewarden-live: not built; make tests"
	fi
	# these stand on another rung there; the rest of the suite: tests/lanes/lanes.sh by hand
	run_tap lanes tests/lanes/lanes.sh -t memory: -t calls: -t files: -t sweep: 5.10 6.1 6.12
fi

[ ! -s "$failures" ] || { echo "# what failed:" && sed 's/^/# /' "$failures"; }
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
