#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# corpus.sh [-n] [LANE...] - run every attack of the live tests on this kernel and in the lanes, print the result
# of each on each kernel, and write two tables to docs/coverage.md: totals by rule, and each evasion of evasions.list.
# -n: summarise the last run, kept in build/corpus/. Needs `make all tests`, and root.
#
# A case is a live test that expects an alert, and prints the rule and the mechanism that caught it
# (`# caught ...`, tests/live/alert.c); a failing test prints what it expected. Exits with 1 if an attack was
# missed that is not a known blind spot, or if an evasion has no test.
set -u
cd "$(dirname "$0")/../.." || exit 1

kept=build/corpus
doc=docs/coverage.md
evasions=tests/scripts/evasions.list
suites="memory: calls: files: sweep: code: namesake: wire: plain: tls: noise: self: silence: prevent: tools:"
lanes="6.1 6.12 6.18 newest"

run=1
if [ "${1-}" = -n ]; then
	run=
	shift
fi
[ $# = 0 ] || lanes=$*
mkdir -p $kept

if [ -n "$run" ]; then
	# shellcheck disable=SC2086 # lists
	{
		echo "# tier of memory: $(build/cachewarden doctor --output json |
			grep -o '"sensor":"memory","rung":"[a-z]*"' | head -n 1 | cut -d '"' -f 8)"
		build/cachewarden-live $suites
	} >$kept/here.tap
	# shellcheck disable=SC2046,SC2086 # lists
	tests/lanes/lanes.sh $(printf -- '-t %s ' $suites) $lanes >$kept/lanes.tap
fi
if [ ! -s $kept/here.tap ]; then
	echo "corpus.sh: no results in build/corpus/ yet; run: make corpus" >&2
	exit 3
fi

# Prefixes every line with its kernel, then summarises in one pass: totals to $kept/table.md, evasions to
# $kept/evasions.md, cases to stdout.
{
	sed "s/^\(not ok\|ok\|#\)\( [0-9]*\)\{0,1\}\( -\)\{0,1\} /\1 [$(uname -r | cut -d . -f 1-2) here] /" $kept/here.tap
	[ ! -s $kept/lanes.tap ] ||
		sed -n 's/^\(not ok\|ok\|#\)\( [0-9]*\)\{0,1\}\( -\)\{0,1\} \[/\1 [/p' $kept/lanes.tap
} | awk -v table=$kept/table.md -v evasions=$evasions -v evaded=$kept/evasions.md '
	# The test of an evasion on a kernel: how it was caught, or what became of the test.
	function outcome(name, kernel,	r, how, hows) {
		for (r = 1; r <= rule_count; r++) {
			how = got[name SUBSEP rule_nr[r], kernel]
			if (how != "" && hows !~ how)
				hows = hows (hows == "" ? "" : ", ") how
		}
		if (result[name, kernel] == "not ok" || hows ~ /missed/)
			return "**missed**"
		return hows != "" ? hows : result[name, kernel] == "ok" ? "told" : result[name, kernel]
	}
	function put_evasions(	line, part, k, head, rule, row, any, group) {
		head = "| evasion |"
		rule = "|---|"
		for (k = 1; k <= kernel_count; k++) {
			head = head " " kernels[k] " |"
			rule = rule "---|"
		}
		print head >evaded
		print rule >evaded
		while ((getline line <evasions) > 0) {
			if (line ~ /^#/ || split(line, part, "\t") < 2)
				continue
			if (part[1] != group) {
				group = part[1]
				row = "| **" group "** |"
				for (k = 1; k <= kernel_count; k++)
					row = row " |"
				print row >evaded
			}
			row = "| " part[2] " |"
			any = 0
			for (k = 1; k <= kernel_count; k++) {
				how = outcome(part[2], kernels[k])
				any += how == "told" || how ~ /hook|sweep/
				unseen += how ~ /missed/
				row = row " " (how == "" ? "-" : how) " |"
			}
			if (!any) {
				print "corpus.sh: no test shows: " part[2] >"/dev/stderr"
				unseen++
			}
			print row >evaded
		}
		close(evaded)
	}
	function enter(name, rule, how,	id) {
		id = name SUBSEP rule
		if (!(id in seen)) {
			seen[id] = ++cases
			case_of[cases] = id
		}
		if ((id, kernel) in got)
			return
		got[id, kernel] = how
		total[rule, kernel]++
		if (how != "missed") {
			caught[rule, kernel]++
			by[rule, kernel, how]++
		}
		if (!(rule in rules)) {
			rules[rule] = 1
			rule_nr[++rule_count] = rule
		}
	}
	!match($0, /\[[^]]*\] /) { next }
	{
		kernel = substr($0, RSTART + 1, RLENGTH - 3)
		verb = substr($0, 1, RSTART - 1)
		text = substr($0, RSTART + RLENGTH)
		sub(/ +$/, "", verb)
	}
	!(kernel in known) { known[kernel] = 1; kernels[++kernel_count] = kernel }
	verb == "#" && text ~ /^tier of memory: / { tier[kernel] = substr(text, 17); next }
	verb == "#" && text ~ /^caught / {
		n = ++waiting[kernel]
		split(text, word, " ")
		rule = word[2]
		how = word[4]
		sub(/,$/, "", how)
		wait_rule[kernel, n] = rule
		wait_how[kernel, n] = how
		id = text
		sub(/.*ATT&CK /, "", id)
		sub(/:.*/, "", id)
		attack[rule] = id
		next
	}
	verb == "#" && text ~ /^expected / && failing[kernel] != "" {
		split(text, word, " ")
		enter(failing[kernel], word[2], "missed")
		if (!(failing[kernel] in blind))
			missed++
		next
	}
	verb == "#" { next }
	{
		name = text
		failing[kernel] = verb == "not ok" ? name : ""
		if (match(name, / # (TODO|SKIP).*/)) {
			why = substr(name, RSTART + 8)
			skip = name ~ / # SKIP /
			name = substr(name, 1, RSTART - 1)
			if (verb == "not ok") {
				failing[kernel] = name
				blind[name] = why
			}
		}
		result[name, kernel] = skip ? "-" : verb
		skip = 0
		for (i = 1; i <= waiting[kernel]; i++)
			enter(name, wait_rule[kernel, i], wait_how[kernel, i])
		waiting[kernel] = 0
	}
	END {
		printf "%-72s %-13s %-10s", "case", "rule", "ATT&CK"
		for (k = 1; k <= kernel_count; k++)
			printf " %-9s", kernels[k]
		print ""
		for (c = 1; c <= cases; c++) {
			split(case_of[c], part, SUBSEP)
			printf "%-72s %-13s %-10s", part[1], part[2], attack[part[2]]
			for (k = 1; k <= kernel_count; k++) {
				how = got[case_of[c], kernels[k]]
				printf " %-9s", how == "" ? "-" : how == "missed" ? "MISSED" : how
			}
			print ""
		}
		head = "| rule | ATT&CK |"
		line = "|---|---|"
		for (k = 1; k <= kernel_count; k++) {
			head = head " " kernels[k] (tier[kernels[k]] ? ", " tier[kernels[k]] " tier" : "") " |"
			line = line "---|"
		}
		print head >table
		print line >table
		for (r = 1; r <= rule_count; r++) {
			rule = rule_nr[r]
			row = "| `" rule "` | " attack[rule] " |"
			for (k = 1; k <= kernel_count; k++) {
				n = total[rule, kernels[k]] + 0
				h = by[rule, kernels[k], "hook"] + 0
				s = by[rule, kernels[k], "sweep"] + 0
				row = row (n ? " " h + s " of " n (s ? " (" s " by sweep)" : "") : " -") " |"
				sum[k] += n
				sum_caught[k] += h + s
			}
			print row >table
		}
		row = "| all | |"
		for (k = 1; k <= kernel_count; k++)
			row = row " " sum_caught[k] " of " sum[k] " |"
		print row >table
		for (name in blind)
			if (blind[name] != "")
				print "\nmissed where `" name "`: " blind[name] >table
		close(table)
		put_evasions()
		for (k = 1; k <= kernel_count; k++)
			printf("%s%s %d of %d caught", (k > 1 ? "; " : ""), kernels[k], sum_caught[k], sum[k])
		print ""
		exit(missed || unseen ? 1 : 0)
	}'
status=$?

# Replaces the tables in the document.
awk -v table=$kept/table.md -v evaded=$kept/evasions.md '
	/^<!-- corpus -->/ { print; while ((getline line < table) > 0) print line; inside = 1; next }
	/^<!-- evasions -->/ { print; while ((getline line < evaded) > 0) print line; inside = 1; next }
	/^<!-- end of (corpus|evasions) -->/ { inside = 0 }
	!inside' $doc >$kept/doc && cat $kept/doc >$doc
exit $status
