# SPDX-License-Identifier: BSD-2-Clause
#
# tap.awk - what one guest says on its second serial port, made TAP without numbers, each name led
# by the lane. Files: skip.list, the tests wanted, the tests the guest was given, the serial port.
# Variables: name, expect (of the lane), console (file: what went to the first serial port).

function say(ok, text)
{
	printf "%sok - [%s] %s\n", ok ? "" : "not ", name, text
	fflush()
}

function note(text)
{
	printf "# [%s] %s\n", name, text
	fflush()
}

function doctor(json,	program, n, i)
{
	told = 1
	say(json ~ /"coverage":"full"/, "lane: doctor says that nothing is missing")
	if (match(json, /"sensor":"memory","rung":"[a-z]*"/)) {
		split(substr(json, RSTART, RLENGTH), program, "\"")
		note("tier of memory: " program[8])
	}
	n = split(json, program, /\{/)
	for (i = 1; i <= n; i++)
		if (program[i] ~ /"holds":false/)
			note(program[i])
	if (match(json, /"error":"[^}]*$/))
		note(substr(json, RSTART))
}

FILENAME != file { file = FILENAME; nr++ }
nr == 1 {
	if (!/^#/ && split($0, part, "\t") > 1) {
		what[++skips] = part[1]
		why[skips] = part[2]
	}
	next
}
nr == 2 { wanted[++tests] = $0; next }
nr == 3 { given[$0] = 1; next }
{ sub(/\r$/, "") }
/^lane: kernel/ { up = 1; note(substr($0, 7)); say(1, "lane: the kernel boots"); next }
/^lane: end/ { ended = 1; note(substr($0, 7)); next }
/^lane: tests ended/ { status = $NF; next }
/^lane: tests/ { next }
/^lane: run ended with/ {
	sub(/^lane: run ended with /, "")
	code = $1 + 0
	sub(/^[0-9]+: /, "")
	say(code == 0 || code == 124 || (code == 3 && $0 != ""),
		"lane: run works, or says why not and ends with 3")
	note("exit code " code ": " $0)
	next
}
/^\{"/ { doctor($0); next }
/^(not )?ok [0-9]+ - / {
	ran++
	text = $0
	sub(/^(not )?ok [0-9]+ - /, "", text)
	say(!/^not /, text)
	next
}
/^1\.\.[0-9]+/ { plan = substr($1, 4); next }
/^Bail out!/ { bail = $0; next }
{ sub(/^# /, ""); note($0) }

END {
	for (i = 1; i <= tests; i++) {
		if (expect != "watch" || wanted[i] in given)
			continue
		for (s = 1; s <= skips && !index(wanted[i], what[s]); s++)
			;
		say(1, wanted[i] " # SKIP emulated: " why[s])
	}
	count = 0
	for (test in given)
		count++
	if (!up) {
		say(0, "lane: the kernel boots")
	} else if (expect == "watch" && !told) {
		say(0, "lane: doctor answers")
	} else if (expect == "watch" && count) {
		whole = plan != "" && plan == ran && bail == ""
		say(whole, "lane: the live tests run to their end")
		if (!whole)
			note(ran + 0 " of " count " ran, plan " (plan == "" ? "missing" : plan) \
				", exit status " (status == "" ? "unknown" : status) " " bail)
	}
	if (!ended) {
		say(0, "lane: the guest runs to its end")
		while ((getline line < console) > 0) {
			sub(/\r$/, "", line)
			last[++lines] = line
		}
		for (i = lines > 20 ? lines - 20 : 1; i <= lines; i++)
			note(last[i])
	}
}
