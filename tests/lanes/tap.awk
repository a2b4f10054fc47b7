# SPDX-License-Identifier: BSD-2-Clause
#
# tap.awk - turns the output of one guest into TAP without test numbers. Each test name is preceded by the lane's. Output
# that is missing becomes a failure.
#
# Files, in order: skip.list, the selected tests, the tests that the guest was to run, its second serial port.
# Variables: name and expect, of the lane; console, the file with the output of the first serial port.

function result(ok, text)
{
	printf "%sok - [%s] %s\n", ok ? "" : "not ", name, text
	fflush()
}

function diagnostic(text)
{
	printf "# [%s] %s\n", name, text
	fflush()
}

function doctor(json,	program, n, i)
{
	doctor_seen = 1
	result(json ~ /"coverage":"full"/, "lane: doctor says that nothing is missing")
	if (match(json, /"sensor":"memory","rung":"[a-z]*"/)) {
		split(substr(json, RSTART, RLENGTH), program, "\"")
		diagnostic("tier of memory: " program[8])
	}
	n = split(json, program, /\{/)
	for (i = 1; i <= n; i++)
		if (program[i] ~ /"holds":false/)
			diagnostic(program[i])
	if (match(json, /"error":"[^}]*$/))
		diagnostic(substr(json, RSTART))
}

FILENAME != file { file = FILENAME; nr++ }
nr == 1 {
	if (!/^#/ && split($0, part, "\t") > 1) {
		skip_part[++skips] = part[1]
		skip_reason[skips] = part[2]
	}
	next
}
nr == 2 { wanted[++tests] = $0; next }
nr == 3 { given[$0] = 1; next }
{ sub(/\r$/, "") }
/^lane: kernel/ { booted = 1; diagnostic(substr($0, 7)); result(1, "lane: the kernel boots"); next }
/^lane: end/ { ended = 1; diagnostic(substr($0, 7)); next }
/^lane: tests ended/ { status = $NF; next }
/^lane: tests/ { next }
/^lane: run ended with/ {
	sub(/^lane: run ended with /, "")
	code = $1 + 0
	sub(/^[0-9]+: /, "")
	result(code == 0 || code == 124 || (code == 3 && $0 != ""),
		"lane: run works, or says why not and ends with 3")
	diagnostic("exit code " code ": " $0)
	next
}
/^\{"/ { doctor($0); next }
/^(not )?ok [0-9]+ - / {
	ran++
	text = $0
	sub(/^(not )?ok [0-9]+ - /, "", text)
	result(!/^not /, text)
	next
}
/^1\.\.[0-9]+/ { plan = substr($1, 4); next }
/^Bail out!/ { bail = $0; next }
{ sub(/^# /, ""); diagnostic($0) }

END {
	for (i = 1; i <= tests; i++) {
		if (expect != "supported" || wanted[i] in given)
			continue
		for (s = 1; s <= skips && !index(wanted[i], skip_part[s]); s++)
			;
		result(1, wanted[i] " # SKIP emulated: " skip_reason[s])
	}
	count = 0
	for (test in given)
		count++
	if (!booted) {
		result(0, "lane: the kernel boots")
	} else if (expect == "supported" && !doctor_seen) {
		result(0, "lane: doctor answers")
	} else if (expect == "supported" && count) {
		complete = plan != "" && plan == ran && bail == ""
		result(complete, "lane: the live tests run to their end")
		if (!complete)
			diagnostic(ran + 0 " of " count " ran, plan " (plan == "" ? "missing" : plan) \
				", exit status " (status == "" ? "unknown" : status) " " bail)
	}
	if (!ended) {
		result(0, "lane: the guest runs to its end")
		while ((getline line < console) > 0) {
			sub(/\r$/, "", line)
			last[++lines] = line
		}
		for (i = lines > 20 ? lines - 20 : 1; i <= lines; i++)
			diagnostic(last[i])
	}
}
