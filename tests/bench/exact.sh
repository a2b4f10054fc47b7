#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# exact.sh CONFIGURATION... - run tests/bench/exact under each of them; exact.py runs this in a lane's guest.
#
#   off           nothing
#   cachewarden   the monitor; then again as "programs": with empty programs beside its own, and the kernel's
#                 statistics switched on
#   syscalls      the monitor as on a kernel that takes no programs at its functions
#   quiet         the same with --tier quiet, where the kernel has what that needs
#   floor         an empty program for the packets of each direction
#   sys_enter     an empty program for every syscall
#   uprobes       bpftrace on SSL_read and SSL_write, as TLS sniffers do it
#   kprobes       bpftrace on tcp_sendmsg, tcp_recvmsg and do_filp_open
#   audit         audit rules for the syscalls that reach memory; must be last, because the kernel keeps audit contexts
#
# Prints "configuration NAME" before the lines of each, or "missing NAME REASON".
set -u
port=7391
work=$(mktemp -d)

start_server()
{
	redis-server --port 0 --tls-port $port --bind 127.0.0.1 --tls-cert-file "$work/cert" \
		--tls-key-file "$work/key" --tls-ca-cert-file "$work/cert" --tls-auth-clients no \
		--save '' --hz 1 --dynamic-hz no --dir "$work" --pidfile "$work/pid" --daemonize yes >/dev/null
	await 20 redis-cli -p $port --tls --cacert "$work/cert" ping
	server=$(cat "$work/pid")
}

# await SECONDS COMMAND... - until it succeeds
await()
{
	local i

	for ((i = 0; i < $1 * 5; i++)); do
		"${@:2}" >/dev/null 2>&1 && return
		sleep 0.2
	done
	return 1
}

measure()
{
	build/bench/exact "$@" "$server" $port "$work/cert" 2>&1
}

# beside READY COMMAND... - run it in the background until its output contains READY
beside()
{
	out=$(mktemp -p "$work")
	"${@:2}" >"$out" 2>&1 < <(sleep infinity) &
	pid=$!
	await 300 grep -q "$1" "$out" && return
	echo "missing $configuration $(tail -n 1 "$out")"
	return 1
}

end()
{
	kill "$pid" 2>/dev/null
	wait "$pid"
} 2>/dev/null

# monitor [OPTION...]
monitor()
{
	beside "^cachewarden: watching" build/cachewarden run --output json --sweep 60 "$@"
	local ready=$?
	echo "monitor $(cut -d ' ' -f 1 "/proc/$pid/schedstat") $(cut -d ' ' -f 1 /proc/uptime)"
	return $ready
}

probes()
{
	beside ready bpftrace -B none -e "BEGIN { printf(\"ready\\n\"); } $1"
}

# The kernel gives a process its audit context when it is forked, so the server is started afterwards.
audit()
{
	auditctl -a always,exit -F arch=b64 -S ptrace -S process_vm_readv -S process_vm_writev \
		-S pidfd_getfd && auditctl -e 1
} >"$work/out" 2>&1

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$work/key" -out "$work/cert" 2>/dev/null
start_server
ssl=$(awk '/libssl/ { print $6; exit }' "/proc/$server/maps")
for configuration; do
	echo "configuration $configuration $(cut -d ' ' -f 1 /proc/uptime)"
	case $configuration in
	off) measure ;;
	cachewarden)
		monitor && {
			monitor=$pid
			measure -m "$monitor"
			echo "configuration programs $(cut -d ' ' -f 1 /proc/uptime)"
			beside '[0-9]' build/bench/floor /sys/fs/cgroup sys_enter do_filp_open
			echo 1 >/proc/sys/kernel/bpf_stats_enabled
			measure -m "$monitor" -p
			echo 0 >/proc/sys/kernel/bpf_stats_enabled
			end
			pid=$monitor
		}
		end
		;;
	syscalls | quiet)
		export CACHEWARDEN_REFUSE=fentry
		tier=()
		[ "$configuration" = syscalls ] || tier=(--tier quiet)
		if monitor "${tier[@]}"; then
			if [ "$configuration" = quiet ] && grep -q "quiet tier .* not used here" "$out"; then
				echo "missing quiet this kernel cannot do without the syscalls"
			else
				measure -m "$pid"
			fi
		fi
		end
		unset CACHEWARDEN_REFUSE
		;;
	floor) beside '[0-9]' build/bench/floor /sys/fs/cgroup && measure; end ;;
	sys_enter) beside '[0-9]' build/bench/floor sys_enter && measure; end ;;
	uprobes)
		probes "uprobe:$ssl:SSL_write { @w = count(); } uprobe:$ssl:SSL_read { @r = count(); }" &&
			measure
		end
		;;
	kprobes)
		probes "kprobe:tcp_sendmsg { @s = count(); } kprobe:tcp_recvmsg { @r = count(); }
			kprobe:do_filp_open { @o = count(); }" && measure
		end
		;;
	audit)
		if ! audit; then
			echo "missing $configuration $(tail -n 1 "$work/out")"
			continue
		fi
		kill "$server"
		await 20 test ! -e "$work/pid"
		start_server
		auditctl -a always,exit -F arch=b64 -S open -S openat -S openat2 -F "dir=/proc/$server" \
			-F perm=rw -F "pid!=$server" >/dev/null
		measure
		;;
	esac
done
echo "end $(cut -d ' ' -f 1 /proc/uptime)"
