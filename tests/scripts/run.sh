#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh BINARY - `make run`: monitor every Redis and Valkey on this host. If there is none, start a scratch
# Redis with TLS on a free loopback port and in a directory of its own, and remove it at the end.
set -u

bin=$1
scratch=
pid=

if [ "$(id -u)" != 0 ]; then
	echo "make run: loading BPF programs needs root. Run: sudo make run" >&2
	exit 3
fi

# shellcheck disable=SC2317 # called by the trap
finish() {
	if [ -n "$pid" ]; then
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	fi
	[ -z "$scratch" ] || rm -rf "$scratch"
}
trap finish EXIT
trap : INT TERM # wait for the monitor, which ends on the same signal

servers() {
	for name in redis-server valkey-server keydb-server redis-sentinel valkey-sentinel; do
		pgrep -r R,S,D -x "$name" # states: no zombies
	done
}

free_port() {
	local port
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		port=$((20000 + RANDOM % 10000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
	return 1
}

if [ -z "$(servers)" ]; then
	scratch=$(mktemp -d) || exit 3
	port=$(free_port) || { echo "make run: found no free port" >&2; exit 3; }
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=IP:127.0.0.1,DNS:localhost \
		-keyout "$scratch/key.pem" -out "$scratch/cert.pem" 2>/dev/null || exit 3
	redis-server --port 0 --tls-port "$port" --bind 127.0.0.1 --tls-auth-clients no --save '' \
		--tls-cert-file "$scratch/cert.pem" --tls-key-file "$scratch/key.pem" \
		--tls-ca-cert-file "$scratch/cert.pem" --dir "$scratch" >"$scratch/log" 2>&1 &
	pid=$!
	for _ in $(seq 50); do
		redis-cli -p "$port" --tls --cacert "$scratch/cert.pem" ping >/dev/null 2>&1 && break
		sleep 0.1
	done
	if ! kill -0 "$pid" 2>/dev/null; then
		echo "make run: the scratch Redis did not start:" >&2
		cat "$scratch/log" >&2
		exit 3
	fi
	echo "No Redis or Valkey is running: started a scratch Redis with TLS on 127.0.0.1:$port (pid $pid)."
	echo "To see the first alerts, run in another terminal:"
	echo
	echo "    redis-cli -p $port ping; sudo head -c 1 /proc/$pid/mem; sudo cat /proc/$pid/environ >/dev/null"
	echo
	echo "The first command sends plaintext to the TLS port, the others read the server's memory. Ctrl-C stops both."
	echo
fi

# No exec, because the scratch server has to be stopped; in the background, so that a signal interrupts wait.
"$bin" run --output text &
monitor=$!
while :; do
	wait "$monitor"
	code=$?
	kill -0 "$monitor" 2>/dev/null || break
	kill -INT "$monitor" 2>/dev/null
done
exit "$code"
