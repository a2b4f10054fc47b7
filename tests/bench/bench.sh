#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# bench.sh - what watching costs, and how fast an alert comes: `make bench`, as root.
#
#   a. redis-benchmark --tls against a scratch server, unmonitored, under cachewarden, under auditd rules,
#      and under uprobes on SSL_read and SSL_write: paired, interleaved, in a new order each round.
#   b. nanoseconds per run of each of cachewarden's BPF programs, by the kernel's own statistics.
#   c. from a process_vm_readv on the server to the alert's line.
#   d. time of a sweep, by the monitor's own clock: on this host as it is, and with a crowd of tasks and files.
#   e. a flood of attempts: by one process, and by as many processes as there are attempts, each a session of its own
#      or all of one; what the monitor spends on it, and whether each attempt is in a count.
#
# Nothing here judges: timing on a shared machine decides no test. The table goes to stdout, the numbers to
# build/bench/result.json. BENCH_ONLY=flood measures e alone. Shorten with BENCH_ROUNDS (7), BENCH_SECONDS (2 per run), BENCH_SAMPLES (300).
# Servers, monitors, audit rules, and the one sysctl are put back as found, also on Ctrl-C.
set -u
cd "$(dirname "$0")/../.." || exit 1

rounds=${BENCH_ROUNDS:-7}
seconds=${BENCH_SECONDS:-2}
samples=${BENCH_SAMPLES:-300}
pipelines="1 16"
clients=20
monitor=build/cachewarden
out=build/bench
work=$(mktemp -d)
runs=$work/runs
notes=()
pids=()
audit=         # set while audit is ours
stats_before=  # kernel.bpf_stats_enabled before us
own_cgroup2=   # set where we had to mount one

die()
{
	echo "bench: $*" >&2
	exit 3
}

note()
{
	notes+=("$*")
	echo "bench: $*" >&2
}

forget()
{
	local p kept=()

	for p in "${pids[@]}"; do
		[ "$p" = "$1" ] || kept+=("$p")
	done
	pids=("${kept[@]}")
}

# End one process we started: TERM, then KILL after 10 s.
stop()
{
	local i

	kill "$1" 2>/dev/null
	for ((i = 0; i < 100; i++)); do
		kill -0 "$1" 2>/dev/null || break
		sleep 0.1
	done
	kill -9 "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	forget "$1"
}

put_back()
{
	local p

	for p in "${pids[@]}"; do
		stop "$p"
	done
	[ -z "$audit" ] || audit_off
	[ -z "$stats_before" ] || sysctl -qw kernel.bpf_stats_enabled="$stats_before"
	[ -z "$own_cgroup2" ] || umount "$work/cgroup2"
	rm -rf "$work"
}

# Wait up to $1 seconds until the rest succeeds.
await()
{
	local tries=$(($1 * 20))

	shift
	until "$@"; do
		[ $((tries--)) -gt 0 ] || return 1
		sleep 0.05
	done
}

pinned()
{
	local cpu=$1

	shift
	if [ "$(nproc)" -ge 2 ]; then
		exec taskset -c "$cpu" "$@"
	else
		exec "$@"
	fi
}

make_certificate()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 \
		-addext subjectAltName=IP:127.0.0.1 -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null ||
		die "openssl could not make a certificate"
}

free_port()
{
	local p

	while p=$((20000 + RANDOM % 12000)); do
		[ -n "$(ss -Hltn "sport = :$p")" ] || break
	done
	echo "$p"
}

cli()
{
	local p=$1

	shift
	redis-cli --tls --cacert "$work/cert.pem" -p "$p" "$@" 2>/dev/null
}

answers()
{
	[ "$(cli "$1" ping)" = PONG ]
}

# start_server PROGRAM - sets server and port
start_server()
{
	port=$(free_port)
	pinned 0 "$1" --port 0 --tls-port "$port" --bind 127.0.0.1 --tls-cert-file "$work/cert.pem" \
		--tls-key-file "$work/key.pem" --tls-ca-cert-file "$work/cert.pem" --tls-auth-clients no \
		--save '' --appendonly no --dir "$work" --daemonize no >"$work/server.log" 2>&1 &
	server=$!
	pids+=("$server")
	await 10 answers "$port" || die "the scratch server did not start: $(tail -n 3 "$work/server.log")"
	redis_load "$port" 1 1 set >/dev/null
}

# redis_load PORT PIPELINE REQUESTS COMMAND - redis-benchmark's CSV line
redis_load()
{
	(pinned 1 redis-benchmark --tls --cacert "$work/cert.pem" -p "$1" -c $clients -d 100 -P "$2" -n "$3" \
		-t "$4" --csv 2>/dev/null) | tail -n 1
}

# CPU time of a process in ns, all threads
cpu_ns()
{
	cat "/proc/$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

# How many requests take the window, by a short try
calibrate()
{
	local p rate

	for p in $pipelines; do
		redis_load "$port" "$p" $((10000 * p)) get >/dev/null
		rate=$(redis_load "$port" "$p" $((20000 * p)) get | awk -F '"' '{ print int($4) }')
		[ "${rate:-0}" -gt 0 ] || die "redis-benchmark gave no rate"
		requests[p]=$((rate * seconds))
	done
}

# measure ROUND CONFIG - the server as it is now, every pipeline
measure()
{
	local p before after line

	for p in $pipelines; do
		redis_load "$port" "$p" $((requests[p] / 10)) get >/dev/null
		before=$(cpu_ns "$server")
		line=$(redis_load "$port" "$p" "${requests[p]}" get)
		after=$(cpu_ns "$server")
		awk -F '"' -v round="$1" -v config="$2" -v pipe="$p" -v n="${requests[p]}" \
			-v cpu=$((after - before)) '{ print round, config, pipe, $4, $14, cpu / n }' \
			<<<"$line" >>"$runs"
	done
}

monitor_ready()
{
	grep -q '^cachewarden: watching' "$work/monitor.err"
}

start_monitor()
{
	"$monitor" run --output json "$@" >"$work/monitor.json" 2>"$work/monitor.err" &
	watcher=$!
	pids+=("$watcher")
	await 15 monitor_ready || die "cachewarden did not come up: $(tail -n 5 "$work/monitor.err")"
}

run_none()
{
	measure "$1" none
}

run_cachewarden()
{
	start_monitor
	measure "$1" cachewarden
	stop "$watcher"
}

# --- auditd ---
#
# The kernel gives a process its audit context when it is forked, if audit was ever on, and keeps it for
# good. So the server under audit is one of its own, started with audit on; everything else here is forked
# under "task,never" and has none.

audit_possible()
{
	local status

	command -v auditctl >/dev/null || { note "auditd: skipped, auditctl is not installed" && return 1; }
	status=$(auditctl -s 2>&1) || { note "auditd: skipped, no audit in this kernel or container" && return 1; }
	if ! grep -q '^enabled 0' <<<"$status" || [ "$(auditctl -l)" != "No rules" ]; then
		note "auditd: skipped, this host is audited already and its rules are left alone"
		return 1
	fi
}

audit_off()
{
	auditctl -e 0 >/dev/null
	auditctl -D >/dev/null 2>&1
	audit=
}

# Rules that see what cachewarden's memory rules see, as far as audit can.
audit_rules()
{
	auditctl -D
	auditctl -a always,exit -F arch=b64 -S ptrace -S process_vm_readv -S process_vm_writev
	auditctl -a always,exit -F arch=b64 -S pidfd_getfd
	auditctl -e 1
}

audit_watch_proc()
{
	# the server reads its own stat ten times a second
	auditctl -a always,exit -F arch=b64 -S open -S openat -S openat2 -F "dir=/proc/$1" -F perm=rw -F "pid!=$1"
}

run_auditd()
{
	local plain=$server plain_port=$port daemon

	mkdir -p "$work/audit"
	chmod 700 "$work/audit"
	printf '%s\n' "log_file = $work/audit/log" 'log_format = RAW' 'flush = INCREMENTAL_ASYNC' 'freq = 50' \
		'disk_full_action = IGNORE' 'space_left_action = IGNORE' 'admin_space_left_action = IGNORE' \
		'disk_error_action = IGNORE' 'space_left = 75' 'admin_space_left = 50' >"$work/audit/auditd.conf"
	audit_rules >/dev/null 2>&1 || note "auditd: some rules were refused"
	auditd -n -s nochange -c "$work/audit" >/dev/null 2>&1 &
	daemon=$!
	pids+=("$daemon")
	if ! await 5 eval "auditctl -s | grep -q '^pid $daemon'"; then
		[ "$1" != 1 ] || note "auditd: the daemon does not run here; its rules do, with nobody reading"
	fi
	start_server redis-server
	audit_watch_proc "$server" >/dev/null 2>&1 || note "auditd: no rule on /proc/PID"
	measure "$1" auditd
	stop "$server"
	stop "$daemon"
	audit_off
	audit_quiet
	server=$plain
	port=$plain_port
}

audit_quiet()
{
	audit=1
	auditctl -a task,never >/dev/null
}

# --- uprobes, as TLS sniffers place them ---

sniffer_ready()
{
	grep -q ready "$work/sniffer.out"
}

run_uprobes()
{
	local ssl

	ssl=$(awk '$6 ~ /libssl/ { print $6; exit }' "/proc/$server/maps")
	bpftrace -B none -p "$server" -e "BEGIN { printf(\"ready\\n\"); }
		uprobe:$ssl:SSL_write { @written = count(); } uprobe:$ssl:SSL_read { @read = count(); }" \
		>"$work/sniffer.out" 2>&1 &
	sniffer=$!
	pids+=("$sniffer")
	if await 20 sniffer_ready; then
		measure "$1" uprobes
	else
		note "uprobes: bpftrace did not attach: $(tail -n 1 "$work/sniffer.out")"
	fi
	stop "$sniffer"
}

compare()
{
	local round config configs=(none cachewarden)

	if audit_possible; then
		configs+=(auditd)
		audit_quiet
	fi
	if ! command -v bpftrace >/dev/null; then
		note "uprobes: skipped, bpftrace is not installed"
	elif ! ldd "$(command -v redis-server)" | grep -q libssl; then
		note "uprobes: skipped, redis-server has no libssl to probe"
	else
		configs+=(uprobes)
	fi
	for ((round = 1; round <= rounds; round++)); do
		start_server redis-server
		[ $round -gt 1 ] || calibrate
		for config in $(shuf -e "${configs[@]}"); do
			echo "bench: round $round of $rounds: $config" >&2
			"run_$config" $round
		done
		stop "$server"
	done
	if [ -n "$audit" ]; then
		audit_off
		note "auditd: the kernel now gives new processes an audit context until it is rebooted"
	fi
}

# --- b. ns per run ---

# program_stats ID... - lines "id name run_time_ns run_cnt"
program_stats()
{
	local id

	for id; do
		bpftool -j prog show id "$id" 2>/dev/null | awk -v id="$id" '
			function field(key,    at) {
				at = match($0, "\"" key "\":\"?[^,\"}]*")
				if (!at)
					return key == "name" ? "-" : 0
				at = substr($0, RSTART, RLENGTH)
				sub(/^"[^"]*":"?/, "", at)
				return at
			}
			{ print id, field("name"), field("run_time_ns"), field("run_cnt") }'
	done
}

# Ids of the programs a process holds, itself or by a link
programs_of()
{
	cat "/proc/$1"/fdinfo/* 2>/dev/null | awk '/^prog_id:/ && $2 { print $2 }' | sort -nu
}

# phase NAME PORT PIPELINE - appends "phase id name ns runs" for what ran in the meantime
phase()
{
	# shellcheck disable=SC2086 # a list of ids
	program_stats $programs >"$work/before"
	redis_load "$2" "$3" "${requests[$3]}" get >/dev/null
	# shellcheck disable=SC2086
	program_stats $programs >"$work/after"
	awk -v phase="$1" 'NR == FNR { ns[$1] = $3; n[$1] = $4; next }
		$4 > n[$1] { print phase, $1, $2, $3 - ns[$1], $4 - n[$1] }' "$work/before" "$work/after" \
		>>"$work/programs"
}

find_cgroup2()
{
	cgroup2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	if [ -z "$cgroup2" ]; then
		cgroup2=$work/cgroup2
		mkdir "$cgroup2"
		mount -t cgroup2 none "$cgroup2" && own_cgroup2=1
	fi
}

# Load on the protected server ($protected_port), then on the other one
phases()
{
	phase protected-1 "$protected_port" 1
	phase protected-16 "$protected_port" 16
	phase other-1 "$port" 1
	phase other-16 "$port" 16
}

# The empty program runs alone, before the monitor: what comes first on a packet pays for cold caches.
programs_cost()
{
	local floor floor_ids other own protected_port

	start_server redis-server
	own=$server
	protected_port=$port
	cp "$(readlink -f "$(command -v redis-server)")" "$work/cacheserver"
	start_server "$work/cacheserver"
	other=$server
	find_cgroup2
	stats_before=$(cat /proc/sys/kernel/bpf_stats_enabled)
	sysctl -qw kernel.bpf_stats_enabled=1
	mkfifo "$work/hold"
	"$out/floor" "$cgroup2" <"$work/hold" >"$work/floor.ids" 2>"$work/floor.err" &
	floor=$!
	exec 9>"$work/hold"
	await 5 test -s "$work/floor.ids" || note "no floor: $(cat "$work/floor.err")"
	programs=$(cat "$work/floor.ids")
	floor_ids=$programs
	phases
	exec 9>&-
	wait "$floor"
	start_monitor
	programs=$(programs_of "$watcher")
	phases
	stop "$watcher"
	stop "$other"
	sysctl -qw kernel.bpf_stats_enabled="$stats_before"
	stats_before=
	# names for the floor: egress came first
	awk -v ids="$floor_ids" 'BEGIN { split(ids, floor, " ") }
		$2 == floor[1] { $3 = "(empty_egress)" } $2 == floor[2] { $3 = "(empty_ingress)" } { print }' \
		"$work/programs" >"$work/programs.named"
	server=$own
	port=$protected_port
}

programs_table()
{
	awk -v json="$1" '
		{ ns[$3, $1] += $4; n[$3, $1] += $5; if (!($3 in seen)) { seen[$3] = 1; order[++names] = $3 } }
		function cell(name, phase) {
			return (name, phase) in n ? sprintf("%8.1f x %-9d", ns[name, phase] / n[name, phase],
				n[name, phase]) : sprintf("%8s   %-9s", "-", "")
		}
		END {
			split("protected-1 protected-16 other-1 other-16", phase, " ")
			printf "%-16s", ""
			for (p = 1; p <= 4; p++)
				printf "  %-20s", phase[p]
			printf "\n"
			printf "[" >json
			for (i = 1; i <= names; i++) {
				printf "%-16s", order[i]
				for (p = 1; p <= 4; p++) {
					printf "  %s", cell(order[i], phase[p])
					if ((order[i], phase[p]) in n) {
						printf "%s\n  {\"program\": \"%s\", \"phase\": \"%s\", " \
							"\"runs\": %d, \"ns_per_run\": %.1f}", comma, order[i], phase[p],
							n[order[i], phase[p]],
							ns[order[i], phase[p]] / n[order[i], phase[p]] >json
						comma = ","
					}
				}
				printf "\n"
			}
			printf "\n ]" >json
		}' "$work/programs.named"
}

# ns per packet of cachewarden's two socket programs in a phase, and without the empty program's cost
packet_cost()
{
	awk -v phase="$1" '
		$1 != phase { next }
		$3 ~ /^\(empty/ { floor_ns += $4; floor_n += $5; next }
		$3 ~ /egress|ingress/ { ns += $4; n += $5 }
		END {
			if (!n) { print "? ?"; exit }
			printf "%.0f %.0f\n", ns / n, ns / n - (floor_n ? floor_ns / floor_n : 0)
		}' "$work/programs.named"
}

# --- d. sweeps ---

crowd_ready()
{
	grep -q ready "$work/crowd.out"
}

# sweeps_of SECONDS - "N, X ms on average, the longest Y ms; Z tasks", one sweep a second
sweeps_of()
{
	local tasks

	start_monitor --sweep 1
	sleep "$1"
	tasks=$(ps -eL --no-headers | wc -l)
	stop "$watcher"
	sed -n "s/^cachewarden: sweeps: \(.*\)/\1; $tasks tasks/p" "$work/monitor.err"
}

sweeps_cost()
{
	local crowd

	sweeps_plain=$(sweeps_of 10)
	mkfifo "$work/crowd.in"
	"$out/crowd" 2000 10 <"$work/crowd.in" >"$work/crowd.out" 2>&1 &
	crowd=$!
	pids+=("$crowd")
	exec 8>"$work/crowd.in"
	if await 20 crowd_ready; then
		sweeps_crowd=$(sweeps_of 10)
	else
		note "sweeps: no crowd: $(tail -n 1 "$work/crowd.out")"
	fi
	exec 8>&-
	stop "$crowd"
}

# --- e. floods ---

# flood_of HOW NUMBER [LAUNCHER...] - "N done, N counted, N dropped; N incidents, N lines; monitor CPU s, peak KiB"
flood_of()
{
	local how=$1 number=$2 before after peak did lines

	shift 2
	start_monitor
	before=$(cpu_ns "$watcher")
	did=$("$@" build/triggers/flood "$server" "$how" "$number" | grep -o '"result": *[0-9]*' | grep -o '[0-9]*$')
	sleep 3
	after=$(cpu_ns "$watcher")
	peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$watcher/status")
	stop "$watcher"
	lines=$(wc -l <"$work/monitor.json")
	awk -v did="$did" -v lines="$lines" -v cpu=$((after - before)) -v peak="$peak" '
		/^cachewarden: incidents:/ { incidents = $3 }
		/^cachewarden: ended:/ {
			for (i = 1; i <= NF; i++) {
				if ($(i + 1) ~ /^events/) counted = $i
				if ($(i + 1) ~ /^dropped/) dropped = $i
			}
		}
		END {
			if (counted == "") { print "the monitor ended without its sum: " $0; exit }
			printf "%d done, %d counted, %d dropped; %d incidents, %d lines; monitor: %.2f s CPU, %d KiB at most\n",
				did, counted, dropped, incidents, lines, cpu / 1e9, peak
		}' "$work/monitor.err"
}

floods()
{
	flood_one=$(flood_of loop 1000000)
	flood_session=$(flood_of actors 10000)
	flood_sessions=$(flood_of sessions 10000)
}

floods_table()
{
	echo "e. 1,000,000 reads by one process: ${flood_one:-none}"
	echo "   10,000 processes of one session, one read each: ${flood_session:-none}"
	echo "   10,000 sessions, one read each: ${flood_sessions:-none}"
}

average_of()
{
	sed -n 's/.*, \([0-9.]*\) ms on average.*/\1/p' <<<"$1"
}

ratio_of()
{
	awk -v p="$1" -v key="$2" -F '[{}]' '$2 ~ "\"config\": \"cachewarden\"" && $2 ~ "\"pipeline\": " p "," {
		if (match($2, "\"" key "\": [0-9.]+"))
			print substr($2, RSTART + length(key) + 4, RLENGTH - length(key) - 4)
	}' "$work/runs.json"
}

[ "$(id -u)" = 0 ] || die "needs root: BPF, audit and other processes' memory"
[ -x "$monitor" ] || die "$monitor is not built; make all"
trap put_back EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir -p "$out"
cflags="-O2 -std=gnu11 -Wall -Wextra -Werror -D_GNU_SOURCE"
# shellcheck disable=SC2086
"${CC:-gcc}" $cflags -o "$out/latency" tests/bench/latency.c -ljansson || exit 1
# shellcheck disable=SC2086
"${CC:-gcc}" $cflags -o "$out/floor" tests/bench/floor.c -lbpf || exit 1
# shellcheck disable=SC2086
"${CC:-gcc}" $cflags -o "$out/crowd" tests/bench/crowd.c || exit 1
declare -a requests
sweeps_plain= sweeps_crowd=
make_certificate

if [ "${BENCH_ONLY-}" = flood ]; then
	start_server redis-server
	floods
	stop "$server"
	floods_table
	exit
fi
compare
programs_cost
latency=$("$out/latency" "$monitor" "$server" "$samples") || note "latency: more than half of the alerts never came"
sweeps_cost
floods
stop "$server"

echo "host: $(uname -r), $(nproc) CPUs, load $(cut -d ' ' -f 1 /proc/loadavg); redis $(redis-server --version | grep -o 'v=[^ ]*')"
echo
echo "a. GET of 100 bytes, TLS, $clients clients, $rounds rounds of ${seconds} s; ratio to 'none': of medians (q1 median q3 of the rounds' own)"
awk -v json="$work/runs.json" -f tests/bench/summary.awk "$runs"
echo
echo "b. ns per run x runs, by kernel.bpf_stats_enabled; (empty_*) is a program that does nothing"
programs_table "$work/programs.json"
echo
echo "c. process_vm_readv to alert line: ${latency:-none}"
echo
echo "d. sweeps of this host as it is: ${sweeps_plain:-none}"
echo "   with 2,000 tasks of 10 files each beside: ${sweeps_crowd:-none}"
echo
floods_table
echo
for n in "${notes[@]}"; do
	echo "note: $n"
done
# protected_cost PIPELINE - of a protected packet, with and without the statistics' own; over loopback half of the
# packets of a protected server's load are the client's, and of nobody
protected_cost()
{
	awk -v both="$(packet_cost "protected-$1")" -v other="$(packet_cost "other-$1")" 'BEGIN {
		split(both, b, " ")
		split(other, o, " ")
		if (b[1] == "?") { print "?"; exit }
		printf "%d (%d without the empty program)", 2 * b[1] - o[1], 2 * b[2] - o[2]
	}'
}

read -r other other_net < <(packet_cost other-16)
median=$(grep -o 'median_us=[0-9.]*' <<<"${latency:-}" | cut -d = -f 2)
cat >"$out/result.json" <<JSON
{
 "kernel": "$(uname -r)", "cpus": $(nproc), "rounds": $rounds, "seconds": $seconds,
 "compare": $(cat "$work/runs.json"),
 "programs": $(cat "$work/programs.json"),
 "sweep_ms": {"as_is": $(average_of "$sweeps_plain"), "crowd": $(average_of "${sweeps_crowd:-, 0 ms on average}")},
 "latency": {$(sed -E 's/ /, /g; s/([a-z0-9_]+)=/"\1": /g' <<<"${latency:-}")}
}
JSON
echo "aimed at, got (pipeline 1, 16): throughput >= 0.98: $(ratio_of 1 throughput_paired_median), $(ratio_of 16 throughput_paired_median);" \
	"CPU/request <= 1.025: $(ratio_of 1 cpu_paired_median), $(ratio_of 16 cpu_paired_median);" \
	"protected packet <= 120 ns: $(protected_cost 1), $(protected_cost 16);" \
	"other packet <= 30 ns: $other ($other_net); alert < 1 ms: ${median:-?} us;" \
	"sweep of 2,000 tasks with 20,000 files < 50 ms: $(average_of "$sweeps_crowd")"
