#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# boot-probe.sh - runs in the guest of boot.sh, once redis-server and cachewarden are started: is the service what the unit says?
# Prints TAP, with what was seen where a test fails.
# shellcheck disable=SC2317 # functions are called by check
set -u

tests=0
seen=

check()
{
	local name=$1

	shift
	tests=$((tests + 1))
	if "$@"; then
		echo "ok $tests - $name"
	else
		echo "not ok $tests - $name"
		echo "# ${seen//$'\n'/$'\n'# }"
	fi
}

shows()
{
	seen=$(systemctl show "$1" -p "$2" --value)
}

journal()
{
	seen=$(journalctl -b -o cat --no-pager -u cachewarden)
}

# has TEXT - is it in what was seen?
has()
{
	[[ $seen == *"$1"* ]]
}

ready_first()
{
	local monitor server

	monitor=$(systemctl show cachewarden -p ActiveEnterTimestampMonotonic --value)
	server=$(systemctl show redis-server -p ExecMainStartTimestampMonotonic --value)
	seen="ready at $monitor us, the server started at $server us"
	[ "$monitor" -gt 0 ] && [ "$monitor" -le "$server" ]
}

attached()
{
	journal
	has "coverage full" && shows cachewarden StatusText && has "all is well"
}

well()
{
	seen=$(cachewarden status)
}

quiet()
{
	ps aux >/dev/null
	sleep 2
	journal
	! has "incident"
}

reported()
{
	head -c 1 "/proc/$(systemctl show redis-server -p MainPID --value)/maps" >/dev/null
	head -c 1 "/proc/$(systemctl show redis-server -p MainPID --value)/mem" 2>/dev/null
	sleep 3
	journal
	has "critical incident" && has "mem-read: openat mem opened for reading, by head("
}

files_known()
{
	seen=$(cachewarden status)
	has "known: configuration"
}

guard_outside()
{
	seen=$(cat "/proc/$(pgrep -x cw-guard)/cgroup")
	[ "$seen" = "0::/" ]
}

metrics()
{
	exec 3<>/dev/tcp/127.0.0.1/9850 || return 1
	printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
	seen=$(cat <&3)
	exec 3>&-
	has "HTTP/1.1 200 OK" && has $'\ncachewarden_problems 0\n'
}

reloaded()
{
	systemctl reload cachewarden && journal && has "policy reloaded: /etc/cachewarden/policy.yaml"
}

# The main loop makes no progress: the watchdog ends it, and the service starts again.
watchdog()
{
	kill -STOP "$(systemctl show cachewarden -p MainPID --value)"
	for _ in {1..60}; do
		sleep 1
		shows cachewarden NRestarts
		[ "$seen" = 1 ] && systemctl is-active --quiet cachewarden && return
	done
	return 1
}

restarted()
{
	kill -KILL "$(systemctl show cachewarden -p MainPID --value)"
	for _ in {1..30}; do
		sleep 1
		shows cachewarden NRestarts
		[ "$seen" = 2 ] && systemctl is-active --quiet cachewarden && return
	done
	return 1
}

memory()
{
	seen=$(grep VmRSS "/proc/$(systemctl show cachewarden -p MainPID --value)/status")
	[ "$(tr -cd 0-9 <<<"$seen")" -lt 40960 ]
}

stopped()
{
	systemctl stop cachewarden
	shows cachewarden Result
	[ "$seen" = success ] && ! seen=$(pgrep -a cw-guard)
}

# The socket would start the service.
not_activated()
{
	seen="a scrape is answered"
	! (exec 3<>/dev/tcp/127.0.0.1/9850) 2>/dev/null || return 1
	shows cachewarden ActiveState
	[ "$seen" = inactive ]
}

evidence()
{
	seen=$(cachewarden evidence verify /var/lib/cachewarden/evidence 2>&1)
}

echo "1..15"
check "the service is ready before the server starts" ready_first
check "it attaches everything in its sandbox" attached
check "status says that all is well" well
check "a host that does what it does all day is no incident" quiet
check "a read of the server's memory is in the journal" reported
check "the server's configuration is known" files_known
check "the guard is at the root of the cgroup hierarchy" guard_outside
check "metrics are served on systemd's socket" metrics
check "the policy is reloaded" reloaded
check "a stopped monitor is restarted by the watchdog" watchdog
check "a killed monitor is restarted" restarted
check "it takes less than 40 MiB" memory
check "it stops, and its guard with it" stopped
check "a scrape does not start it again" not_activated
check "its evidence verifies" evidence
systemctl poweroff -ff
