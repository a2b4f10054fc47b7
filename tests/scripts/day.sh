#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# day.sh [HOURS] - what a host does in 24 hours, compressed to a few seconds per hour, beside a Redis with TLS that
# build/cachewarden watches with its defaults. Fails if an incident is above low, or if there are 5 or more in all.
#
# Ordinary is what runs on every host without being told of the server: ps, top, lsof and ss, cron, apt, log rotation, a
# node exporter. And what operators set up for the server and their policy allows: the backup job that copies the dump. It
# runs by a policy of one entry, as an operator would write it; without it, the copy is rest-file, and rightly so.
#
# Figures go to standard output, TAP to the end of it.
set -u
cd "$(dirname "$0")/../.." || exit 1

hours=${1-24}
bin=build/cachewarden
scratch=$(mktemp -d)
pids=()
ran=0
missing=

if [ "$(id -u)" != 0 ]; then
	echo "day.sh: loading BPF programs needs root" >&2
	exit 3
fi

# shellcheck disable=SC2317 # called by the trap
clean_up()
{
	local pid

	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	rm -rf "$scratch"
}

trap clean_up EXIT
trap 'exit 130' INT TERM

free_port()
{
	local port

	while :; do
		port=$((20000 + RANDOM % 10000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

# job COMMAND... - one job in a session of its own, as cron starts it. Its output is of no interest; a program that
# is missing is named at the end.
job()
{
	if ! command -v "$1" >/dev/null; then
		[[ " $missing " == *" $1 "* ]] || missing="$missing $1"
		return
	fi
	ran=$((ran + 1))
	setsid -w timeout 60 "$@" >/dev/null 2>&1 </dev/null
}

cli()
{
	redis-cli -p "$port" --tls --cacert "$scratch/tls/cert.pem" "$@" 2>/dev/null
}

start_server()
{
	redis-server "$scratch/etc/redis.conf" >"$scratch/server.out" 2>&1 &
	server=$!
	for _ in $(seq 100); do
		cli ping >/dev/null && return
		sleep 0.1
	done
	echo "day.sh: the server does not answer" >&2
	exit 3
}

# --- the host ---

set_up()
{
	port=$(free_port)
	mkdir -p "$scratch"/{etc,tls,lib,log,backup,cron,bin}
	chmod 700 "$scratch"/{etc,tls,lib,backup}
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=IP:127.0.0.1,DNS:localhost \
		-keyout "$scratch/tls/key.pem" -out "$scratch/tls/cert.pem" 2>/dev/null
	chmod 600 "$scratch/tls/key.pem"
	cat >"$scratch/etc/redis.conf" <<-END
		port 0
		tls-port $port
		bind 127.0.0.1
		tls-auth-clients no
		tls-cert-file $scratch/tls/cert.pem
		tls-key-file $scratch/tls/key.pem
		tls-ca-cert-file $scratch/tls/cert.pem
		dir $scratch/lib
		logfile $scratch/log/redis.log
		pidfile $scratch/redis.pid
		appendonly yes
		save 60 1000
	END
	chmod 600 "$scratch/etc/redis.conf"
	cat >"$scratch/logrotate.conf" <<-END
		$scratch/log/*.log {
			rotate 3
			copytruncate
			missingok
			compress
		}
	END
	# an agent of the operator's own, as many hosts have one: numbers of each process, by its own means
	cat >"$scratch/bin/agent" <<-'END'
		#!/bin/bash
		for dir in /proc/[0-9]*; do
			cat "$dir/stat" "$dir/status" "$dir/cmdline" "$dir/io" "$dir/smaps_rollup" "$dir/limits"
		done
	END
	# what the operator allows, see the head of this file; the copy is made by a program of its own path
	cp /bin/cp "$scratch/bin/backup-cp"
	chmod 755 "$scratch/bin/agent"
	cat >"$scratch/policy.yaml" <<-END
		allow:
		  - rule: rest-file
		    exe: $scratch/bin/backup-cp
		    uid: 0
		    reason: nightly copy of the dump to the backup server
	END
}

start_monitor()
{
	"$bin" run --output json --events --policy "$scratch/policy.yaml" \
		>"$scratch/out" 2>"$scratch/err" &
	monitor=$!
	pids+=("$monitor")
	for _ in $(seq 200); do
		grep -q "^cachewarden: watching " "$scratch/err" && return
		sleep 0.1
	done
	echo "day.sh: the monitor did not start:" >&2
	cat "$scratch/err" >&2
	exit 3
}

# --- what is done: by the minute, by the hour, by the day ---

clients()
{
	local i

	for i in 1 2 3 4 5; do
		cli set "day:$RANDOM" "$i" >/dev/null
		cli get "day:$i" >/dev/null
	done
	job redis-benchmark -p "$port" --tls --cacert "$scratch/tls/cert.pem" -n 2000 -c 5 -q -t set,get
}

operators()
{
	job ps -ef
	job ps axo pid,args,rss,pcpu
	job ps auxe
	job top -b -n 1
	job pidof redis-server
	job pgrep -f redis-server
	job pstree -p
	job lsof -n -P -i
	job lsof -p "$server"
	job ss -tlnp
	job fuser "$scratch/lib"
	job w
	job free
	job uptime
	job df
	job vmstat
	job ls -l "/proc/$server"
	job cat "/proc/$server/status"
}

agents()
{
	job "$scratch/bin/agent"
	job bash -c "exec 3<>/dev/tcp/127.0.0.1/$exporter_port
		printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3 && cat <&3"
	cli info >/dev/null # what an exporter for Redis asks
	cli info commandstats >/dev/null
	cli latency latest >/dev/null
	cli client list >/dev/null
	cli config get maxmemory >/dev/null
	job bpftool prog show
	job bpftool map show
	job dmesg
}

hourly()
{
	local file

	for file in /etc/cron.hourly/*; do
		[ ! -x "$file" ] || job "$file"
	done
	job run-parts --test /etc/cron.hourly
	job systemctl list-units
	job journalctl -n 10
}

daily()
{
	job logrotate -f -s "$scratch/logrotate.state" "$scratch/logrotate.conf"
	job apt-get update --print-uris
	job apt-get -s upgrade
	job apt-cache policy redis-server
	job dpkg -l
	job dpkg --verify redis-tools
	job find /etc /var/lib/dpkg -xdev -newer /etc/passwd
	job updatedb -o "$scratch/locate.db" -U /
	job updatedb -o "$scratch/own.db" -U "$scratch" --prunepaths "" # and the server's directories
	job tar -C /etc -cf /dev/null cron.d default
	job bash -c 'du -sx /var/lib /usr/bin'
	job ldconfig -p
	job ldd /usr/bin/redis-server
	job sha256sum /usr/bin/redis-server
}

# BGSAVE, then the copy that the policy allows.
backup()
{
	local before

	before=$(cli lastsave)
	cli bgsave >/dev/null
	for _ in $(seq 50); do
		[ "$(cli lastsave)" = "$before" ] || break
		sleep 0.1
	done
	job "$scratch/bin/backup-cp" "$scratch/lib/dump.rdb" "$scratch/backup/dump.rdb"
	cli bgrewriteaof >/dev/null
}

# As systemd does it: SIGTERM, wait, start.
restart()
{
	kill -TERM "$server"
	wait "$server"
	start_server
}

hour()
{
	clients
	operators
	agents
	hourly
	case $1 in
	2) backup ;;
	3) daily ;;
	6 | 18) restart ;;
	14) backup ;;
	esac
}

# --- the sum ---

# Prints "SEVERITY RULE NAME" for each incident at its worst.
incidents()
{
	python3 - "$scratch/out" <<-'END'
		import json
		import sys

		worst = {}
		order = ("info", "low", "medium", "high", "critical")
		for line in open(sys.argv[1], encoding="utf-8"):
		    finding = json.loads(line)
		    own = finding["unmapped"]["cachewarden"]
		    if own["kind"] == "event":
		        continue
		    uid = finding["finding_info"]["uid"]
		    worst[uid] = max(worst.get(uid, (0, "")),
		                     (order.index(own["severity"]), finding["message"]))
		for severity, title in worst.values():
		    print(order[severity], title)
	END
}

verdicts()
{
	python3 - "$scratch/out" <<-'END'
		import collections
		import json
		import sys

		seen = collections.Counter()
		for line in open(sys.argv[1], encoding="utf-8"):
		    own = json.loads(line)["unmapped"]["cachewarden"]
		    if own["kind"] == "event":
		        seen[own["verdict"], own["rule"]] += 1
		for (verdict, rule), n in sorted(seen.items()):
		    print(f"# {verdict} {rule}: {n} lines")
	END
}

set_up
start_server
pids+=("$server")
exporter_port=$(free_port)
if command -v prometheus-node-exporter >/dev/null; then
	setsid prometheus-node-exporter --web.listen-address="127.0.0.1:$exporter_port" \
		--collector.processes >/dev/null 2>&1 &
	pids+=("$!")
else
	missing="$missing prometheus-node-exporter"
fi
start_monitor
began=$(date +%s)
for h in $(seq 0 $((hours - 1))); do
	hour $((h % 24))
done
sleep 2
kill -TERM "$monitor"
wait "$monitor"
status=$?
kill "$server" 2>/dev/null

incidents >"$scratch/incidents"
total=$(wc -l <"$scratch/incidents")
above=$(grep -cv '^\(info\|low\) ' "$scratch/incidents")
echo "# $hours hours in $(($(date +%s) - began)) s, $ran jobs; incidents: $total, above low: $above"
[ -z "$missing" ] || echo "# not on this host:$missing"
verdicts
sed 's/^/# incident: /' "$scratch/incidents"
grep "^cachewarden: .*: [0-9]" "$scratch/err" | tail -3 | sed 's/^/# /'

echo 1..5
failed=0
check()
{
	local name=$2

	nr=$((${nr-0} + 1))
	if [ "$1" = 0 ]; then
		echo "ok $nr - $name"
	else
		echo "not ok $nr - $name"
		failed=1
	fi
}
[ "$above" = 0 ]
check $? "an ordinary day raises no incident above low"
[ "$total" -lt 5 ]
check $? "an ordinary day raises fewer than 5 incidents"
[ "$status" = 0 ]
check $? "the monitor ends as asked"
grep -q '"verdict":"observed"\|"verdict": "observed"' "$scratch/out"
check $? "what was done was seen"
if [[ "$missing " == *" logrotate "* || "$missing " == *" updatedb "* || $hours -le 3 ]]; then
	echo "ok 5 - the server's log was rotated, and its files are in a database of names # SKIP not run"
else
	gzip -t "$scratch/log/redis.log.1.gz" && [ -s "$scratch/locate.db" ] &&
		plocate -d "$scratch/own.db" "$scratch/etc/redis.conf" >/dev/null
	check $? "the server's log was rotated, and its files are in a database of names"
fi
exit $failed
