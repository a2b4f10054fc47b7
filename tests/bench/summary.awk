# SPDX-License-Identifier: BSD-2-Clause
#
# summary.awk - paired runs to ratios. Reads lines "round config pipeline requests/s p99_ms cpu_ns/request",
# writes the table; with -v json=FILE also the same as a JSON array to FILE.
#
# Each ratio is to "none", twice: of the medians over all rounds, and, in brackets, the quartiles and median of
# the rounds' own ratios. On a machine with other work the second holds better: a round is short.

# The q quantile of v[1..n], sorted in place; linear between ranks.
function quantile(v, n, q,    i, j, x, at, low)
{
	for (i = 2; i <= n; i++) {
		x = v[i]
		for (j = i - 1; j >= 1 && v[j] > x; j--)
			v[j + 1] = v[j]
		v[j + 1] = x
	}
	at = 1 + (n - 1) * q
	low = int(at)
	return low >= n ? v[n] : v[low] + (at - low) * (v[low + 1] - v[low])
}

function median_of(config, pipe, field,    v, n, r)
{
	n = 0
	for (r in rounds)
		if ((r, config, pipe, field) in value)
			v[++n] = value[r, config, pipe, field]
	return n ? quantile(v, n, 0.5) : 0
}

# Fills q[1..3] with the quartiles of the ratios of the rounds that ran both; returns their number.
function ratio_quartiles(config, pipe, field, q,    v, n, r, base, i)
{
	n = 0
	for (r in rounds) {
		base = value[r, "none", pipe, field]
		if (base > 0 && (r, config, pipe, field) in value)
			v[++n] = value[r, config, pipe, field] / base
	}
	for (i = 1; n && i <= 3; i++)
		q[i] = quantile(v, n, i / 4)
	return n
}

NF == 6 {
	rounds[$1] = 1
	seen[$2] = 1
	if (!($3 in pipes)) {
		pipes[$3] = 1
		pipe_order[++npipes] = $3
	}
	for (i = 4; i <= 6; i++)
		value[$1, $2, $3, i - 3] = $i
}

END {
	split("throughput p99 cpu", name, " ")
	configs = split("none cachewarden auditd uprobes", order, " ")
	printf "%-12s %4s  %9s %8s %9s   %-25s %-25s %s\n", "", "pipe", "req/s", "p99 ms", "us/req",
		"throughput", "p99 latency", "server CPU/request"
	if (json)
		printf "[" >json
	for (p = 1; p <= npipes; p++) {
		pipe = pipe_order[p]
		for (c = 1; c <= configs; c++) {
			config = order[c]
			if (!(config in seen))
				continue
			printf "%-12s %4d  %9.0f %8.3f %9.2f  ", config, pipe, median_of(config, pipe, 1),
				median_of(config, pipe, 2), median_of(config, pipe, 3) / 1000
			if (json) {
				printf "%s\n  {\"config\": \"%s\", \"pipeline\": %d, \"requests_per_s\": %.0f, " \
					"\"p99_ms\": %.3f, \"cpu_ns_per_request\": %.0f", comma, config, pipe,
					median_of(config, pipe, 1), median_of(config, pipe, 2),
					median_of(config, pipe, 3) >json
				comma = ","
			}
			for (f = 1; f <= 3 && config != "none"; f++) {
				n = ratio_quartiles(config, pipe, f, q)
				base = median_of("none", pipe, f)
				ratio = base ? median_of(config, pipe, f) / base : 0
				printf " %-25s", sprintf("%.3f (%.3f %.3f %.3f)", ratio, q[1], q[2], q[3])
				if (json)
					printf ", \"%s_ratio\": %.4f, \"%s_paired_q1\": %.4f, " \
						"\"%s_paired_median\": %.4f, \"%s_paired_q3\": %.4f", name[f], ratio,
						name[f], q[1], name[f], q[2], name[f], q[3] >json
			}
			if (json && config != "none")
				printf ", \"rounds\": %d", n >json
			printf "\n"
			if (json)
				printf "}" >json
		}
	}
	if (json)
		printf "\n ]" >json
}
