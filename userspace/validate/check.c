// SPDX-License-Identifier: BSD-2-Clause
/* check.c - see check.h. docs/validate.md lists the rows: run `make docs` after a change. */
#include "validate/check.h"

#include "base/macros.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HARDENED "systemd: "

#define DRILL(name, rule, guarantee, tried)                                                        \
	{                                                                                          \
		"drill-" rule, guarantee, tried,                                                   \
			"an alert by " rule " within 1 s, with its actor",                         \
			"see `cachewarden doctor`: what this kernel leaves unseen",                \
			judge_drill_##name, CHECK_DRILLED                                          \
	}

const struct check checks[] = {
	/* --- on the wire --- */
	{"tls-plain-port", "No command is run on a connection without TLS",
	 "PING without TLS, at each address it listens on", "no address answers it",
	 "redis.conf: port 0", judge_tls_plain_port},
	{"tls-offered", "Clients can connect with TLS", "a TLS handshake at each address",
	 "at least one address completes it",
	 "redis.conf: tls-port 6379, tls-cert-file, tls-key-file, tls-ca-cert-file",
	 judge_tls_offered},
	{"tls-versions", "Only versions of TLS that are safe are negotiated",
	 "SSL 3, TLS 1.0, 1.1, 1.2 and 1.3, offered one at a time",
	 "only the profile's tls.minimum and newer ones are accepted",
	 "redis.conf: tls-protocols \"TLSv1.2 TLSv1.3\"", judge_tls_versions},
	{"tls-ciphers", "Only cipher suites that are safe are negotiated",
	 "every known suite, offered until the server accepts none of the rest",
	 "no suite that is broken, forbidden by an RFC or not in the profile's tls.ciphers",
	 "redis.conf: tls-ciphers HIGH:!aNULL:!eNULL:!3DES:@SECLEVEL=2", judge_tls_ciphers},
	{"tls-compression",
	 "TLS does not compress, which would reveal secrets by their length (CRIME)",
	 "DEFLATE, offered in a TLS 1.2 ClientHello", "it is not chosen",
	 "OpenSSL 1.1.0 or newer, which does not compress by default", judge_tls_compression},
	{"tls-renegotiation", "A client cannot renegotiate TLS 1.2",
	 "RFC 5746 in a TLS 1.2 ClientHello, then a renegotiation",
	 "RFC 5746 is supported, the renegotiation is refused",
	 "OpenSSL 3.0 or newer, which refuses it by default", judge_tls_renegotiation},
	{"tls-tickets",
	 "No session tickets, whose one key would open all recorded sessions of TLS 1.2",
	 "the session_ticket extension in a TLS 1.2 ClientHello", "it is not answered",
	 "redis.conf: tls-session-caching no, or tls-protocols TLSv1.3", judge_tls_tickets},
	{"tls-cert-chain", "Clients can verify the certificate",
	 "the chain, against --ca or the server's tls-ca-cert-file", "it leads to a trusted one",
	 "redis.conf: tls-cert-file with all intermediate certificates", judge_tls_cert_chain},
	{"tls-cert-names", "The certificate is for the name that clients connect to",
	 "its subjectAltName, compared with --host if given", "it has one, which matches --host",
	 "issue it with subjectAltName=DNS:NAME", judge_tls_cert_names},
	{"tls-cert-dates", "The certificate is valid, and stays so for a while",
	 "its notBefore and notAfter",
	 "valid now, and for the days that the profile's certificate.days asks for",
	 "renew it, then CONFIG SET tls-cert-file, or restart the server", judge_tls_cert_dates},
	{"tls-cert-key", "The certificate's key is strong", "its public key",
	 "at least as strong as the profile's certificate.strength",
	 "issue it for an RSA key of 2048 bits, P-256 or Ed25519", judge_tls_cert_key},
	{"tls-cert-signature", "The certificate's signature is strong", "its signature algorithm",
	 "neither MD5 nor SHA-1", "issue it with SHA-256", judge_tls_cert_signature},
	{"tls-client-cert", "Clients prove who they are by a certificate",
	 "a handshake without a client certificate", "it is refused at every address",
	 "redis.conf: tls-auth-clients yes", judge_tls_client_cert},
	{"tls-replication", "Replication is encrypted",
	 "INFO replication, CONFIG GET tls-replication", "a replica has tls-replication yes",
	 "redis.conf: tls-replication yes", judge_tls_replication},
	{"tls-cluster", "The cluster bus is encrypted", "CONFIG GET cluster-enabled, tls-cluster",
	 "a node of a cluster has tls-cluster yes", "redis.conf: tls-cluster yes",
	 judge_tls_cluster},
	{"unix-socket", "Other users cannot use its UNIX socket",
	 "CONFIG GET unixsocket; mode of the socket and of the directories above",
	 "others cannot write to it", "redis.conf: unixsocketperm 770", judge_unix_socket},
	/* --- in memory --- */
	{"mem-ptrace", "Processes of its user cannot attach to it",
	 "/proc/sys/kernel/yama/ptrace_scope", "1 or more",
	 "a kernel with Yama (lsm=...,yama); sysctl: kernel.yama.ptrace_scope = 1",
	 judge_mem_ptrace},
	{"mem-core", "Its memory is not written to a core dump",
	 "whether it is dumpable, RLIMIT_CORE, kernel.core_pattern", "it cannot dump core",
	 HARDENED "LimitCORE=0, and kernel.core_pattern no program that ignores it",
	 judge_mem_core},
	{"mem-swap", "Its memory does not reach a disk in the clear",
	 "/proc/swaps, dm-crypt and zram by sysfs", "no swap, or all of it encrypted or in RAM",
	 "swapoff -a, or swap on dm-crypt", judge_mem_swap},
	{"mem-ksm", "Its pages are not merged with those of others",
	 "/sys/kernel/mm/ksm/run, /proc/PID/ksm_stat", "KSM is off, or not on for it",
	 "echo 2 > /sys/kernel/mm/ksm/run", judge_mem_ksm},
	{"mem-user", "It does not run as root", "its four uids", "none is 0", HARDENED "User=redis",
	 judge_mem_user},
	{"mem-user-shared", "No other program runs as its user", "the uids of all processes",
	 "only its own processes have its uid", HARDENED "a User= of its own",
	 judge_mem_user_shared},
	{"mem-neighbours", "Servers that share the host have users of their own",
	 "the uids of all servers on the host", "no other server has its uid",
	 HARDENED "a User= for each instance", judge_mem_neighbours},
	{"mem-capable", "Only root can read its memory right now",
	 "the capabilities of all processes that are not root's",
	 "none has CAP_SYS_PTRACE, CAP_PERFMON, CAP_BPF or CAP_SYS_ADMIN",
	 HARDENED "CapabilityBoundingSet= of the units named", judge_mem_capable},
	{"mem-capabilities", "It has no privileges that an exploit could use",
	 "its permitted capabilities", "none",
	 HARDENED "CapabilityBoundingSet=", judge_mem_capabilities},
	{"mem-no-new-privs", "It cannot gain privileges", "NoNewPrivs in /proc/PID/status", "1",
	 HARDENED "NoNewPrivileges=yes", judge_mem_no_new_privs},
	{"mem-seccomp", "Its system calls are filtered", "Seccomp in /proc/PID/status", "2",
	 HARDENED "SystemCallFilter=@system-service", judge_mem_seccomp},
	{"mem-hidden", "Other users do not see its processes", "hidepid of /proc",
	 "hidepid=invisible", "mount -o remount,hidepid=invisible /proc", judge_mem_hidden},
	{"mem-lockdown", "Not even root can change the running kernel",
	 "/sys/kernel/security/lockdown", "integrity or confidentiality",
	 "kernel command line: lockdown=integrity", judge_mem_lockdown},
	{"mem-bpf", "Users cannot load BPF programs", "/proc/sys/kernel/unprivileged_bpf_disabled",
	 "1 or 2", "sysctl: kernel.unprivileged_bpf_disabled = 1", judge_mem_bpf},
	{"mem-perf", "Users cannot sample the kernel by perf",
	 "/proc/sys/kernel/perf_event_paranoid", "2 or more",
	 "sysctl: kernel.perf_event_paranoid = 2", judge_mem_perf},
	{"mem-kptr", "Users do not learn addresses of the kernel", "/proc/sys/kernel/kptr_restrict",
	 "1 or 2", "sysctl: kernel.kptr_restrict = 1", judge_mem_kptr},
	{"mem-code", "Only root can change the code it executes",
	 "owner and mode of each file it executes, and of all directories above",
	 "root owns them, and nobody else may write", "chown root:root FILE; chmod go-w FILE",
	 judge_mem_code},
	{"mem-loader", "Nobody chose other libraries for it",
	 "the libraries it executes; names of the variables in its environment",
	 "all from /lib, /usr/lib or /usr/local/lib; no LD_*, GLIBC_TUNABLES or OPENSSL_*",
	 HARDENED
	 "remove Environment=; a module of the server belongs to /usr/lib or /usr/local/lib",
	 judge_mem_loader},
	/* --- at rest --- */
	{"rest-data", "Other users cannot read its data files",
	 "modes of all files in dir, and of the directories above", "others cannot read any",
	 HARDENED "UMask=0077; chmod o-rwx on dir and its files", judge_rest_data},
	{"rest-key", "Other users cannot read its private keys",
	 "modes of tls-key-file, tls-client-key-file", "others have no rights", "chmod 0640 FILE",
	 judge_rest_key},
	{"rest-config", "Other users can neither read nor change its configuration",
	 "mode of the configuration file, and of the directories above", "others have no rights",
	 "chmod 0640 FILE", judge_rest_config},
	{"rest-acl", "Other users can neither read nor change its ACL file",
	 "mode of aclfile, and of the directories above", "others have no rights",
	 "chmod 0640 FILE", judge_rest_acl},
	{"rest-encrypted", "What it writes is encrypted at rest",
	 "the device below dir, by sysfs: dm-crypt; fscrypt",
	 "encrypted, in RAM, or nothing is written", "move dir to a file system on dm-crypt (LUKS)",
	 judge_rest_encrypted},
	{"rest-auth", "Nobody runs commands without a password", "INFO without a password",
	 "it is refused", "redis.conf: user default off, or requirepass", judge_rest_auth},
	{"rest-config-command", "Nobody changes its configuration without a password",
	 "CONFIG GET without a password", "it is refused", "redis.conf: user default -@admin",
	 judge_rest_config_command},
	{"rest-commands", "Applications cannot run dangerous commands",
	 "ACL DRYRUN default with DEBUG, MODULE and CONFIG",
	 "the default user may run none of them", "redis.conf: user default ... -@dangerous",
	 judge_rest_commands},
	/* --- the host --- */
	{"host-kernel", "The newest installed kernel runs", "/boot/vmlinuz-*, uname",
	 "none is newer", "reboot", judge_host_kernel},
	{"host-kernel-offered", "The newest kernel that the distribution offers runs",
	 "the package of the running kernel, by uname and dpkg's status; the newest in apt's lists",
	 "none is newer in lists of at most 30 days ago", "apt update; apt full-upgrade; reboot",
	 judge_host_kernel_offered},
	{"host-reboot", "No update waits for a reboot", "/run/reboot-required", "it does not exist",
	 "reboot", judge_host_reboot},
	{"host-taint", "The kernel runs only code of its distribution, and has not failed",
	 "/proc/sys/kernel/tainted", "no module that is forced, unsigned or out of tree; no oops",
	 "remove the module, reboot", judge_host_taint},
	{"host-libraries", "It executes the libraries that are installed",
	 "files that it executes and that were replaced since", "none", "restart the server",
	 judge_host_libraries},
	/* --- while a monitor watched --- */
	{"watch-covered", "The monitor saw everything",
	 "coverage, losses and sensors in the statement of a monitor that ran for --duration",
	 "no gap, nothing lost, all sensors attached",
	 "see `cachewarden doctor`; a tampered monitor: find the actor", judge_watch_covered,
	 CHECK_WATCHED},
	{"watch-wire", "Nothing but TLS crossed its sockets",
	 "all packets of its sockets, by that monitor", "no plaintext, no foreign writer",
	 "redis.conf: port 0; find the client in `cachewarden run`", judge_watch_wire,
	 CHECK_WATCHED},
	{"watch-versions", "Clients negotiated only versions of TLS that are safe",
	 "all handshakes, by that monitor", "the profile's tls.minimum and newer ones",
	 "redis.conf: tls-protocols \"TLSv1.2 TLSv1.3\"", judge_watch_versions, CHECK_WATCHED},
	{"watch-ciphers", "Clients negotiated only cipher suites that are safe",
	 "all handshakes, by that monitor", "none that tls-ciphers would refuse",
	 "redis.conf: tls-ciphers HIGH:!aNULL:!eNULL:!3DES:@SECLEVEL=2", judge_watch_ciphers,
	 CHECK_WATCHED},
	{"watch-memory", "Nobody touched its memory", "all accesses to it, by that monitor",
	 "none that the host's policy does not allow",
	 "find the actor in `cachewarden run`; what is legitimate belongs in the policy",
	 judge_watch_memory, CHECK_WATCHED},
	{"watch-files", "Nobody opened its files",
	 "all opens of its data, configuration and keys, by that monitor",
	 "none that the host's policy does not allow",
	 "find the actor in `cachewarden run`; what is legitimate belongs in the policy",
	 judge_watch_files, CHECK_WATCHED},
	/* --- drills --- */
	DRILL(mem_trace, "mem-trace", "Whoever traces the server is reported",
	      "PTRACE_SEIZE on the target"),
	DRILL(mem_read, "mem-read", "Whoever reads its memory is reported",
	      "process_vm_readv of one byte of the target"),
	DRILL(mem_write, "mem-write", "Whoever writes its memory is reported",
	      "process_vm_writev of one byte to a page of the target that is read-only"),
	DRILL(mem_inspect, "mem-inspect", "Whoever looks at its memory layout is reported",
	      "an open of /proc/PID/maps of the target"),
	DRILL(mem_fd, "mem-fd", "Whoever takes its descriptors is reported",
	      "pidfd_getfd on the target"),
	DRILL(mem_remote, "mem-remote", "Whoever inspects or changes it from outside is reported",
	      "kcmp on the target"),
	DRILL(mem_probe, "mem-probe", "Whoever samples or probes it is reported",
	      "perf_event_open on the target, to sample it"),
	DRILL(mem_kernel, "mem-kernel", "Whoever loads code into the kernel is reported",
	      "finit_module, else kexec_file_load, with a descriptor that is none"),
	DRILL(mem_dump, "mem-dump", "Whoever lets it dump core is reported",
	      "a core limit set for the target by prlimit"),
	DRILL(mem_inject, "mem-inject", "Code that is loaded into it later is reported",
	      "MODULE LOAD of a library in the target"),
	DRILL(rest_file, "rest-file", "Whoever opens its files is reported",
	      "an open of the target's configuration file"),
	DRILL(tls_listener, "tls-listener", "A port that serves plaintext is reported",
	      "the target's answer to a PING without TLS"),
	DRILL(tls_plaintext, "tls-plaintext", "Plaintext on its sockets is reported",
	      "PING without TLS to the target"),
	DRILL(tls_version, "tls-version", "An old version of TLS is reported",
	      "a ClientHello of TLS 1.1 to the target that accepts it"),
	DRILL(tls_cipher, "tls-cipher", "A weak cipher suite is reported",
	      "a ClientHello that offers a suite without encryption to the target that accepts it"),
	DRILL(tls_midstream, "tls-midstream", "A TLS connection that stops being TLS is reported",
	      "a TLS handshake with the target, then a PING in the clear"),
	DRILL(tls_writer, "tls-writer", "Another process that writes to its clients is reported",
	      "a write to the target's end of a connection, taken by pidfd_getfd"),
	DRILL(tls_bypass, "tls-bypass", "What leaves it outside its TCP connections is reported",
	      "a UDP datagram from a socket of the target"),
	DRILL(tls_key, "tls-key", "Whoever opens its private key is reported",
	      "an open of the target's private key"),
	DRILL(self_tamper, "self-tamper", "Whoever tampers with the monitor is reported",
	      "kcmp on the monitor"),
};
const size_t check_count = ARRAY_SIZE(checks);
_Static_assert(ARRAY_SIZE(checks) <= CHECK_MAX, "room for all checks");

static const char *const verdicts[] = {
	[CHECK_PASS] = "pass", [CHECK_FAIL] = "fail", [CHECK_SKIP] = "skip"};
_Static_assert(ARRAY_SIZE(verdicts) == CHECK_VERDICT_MAX, "every verdict has a name");

const char *check_verdict_name(enum check_verdict v)
{
	return v < CHECK_VERDICT_MAX ? verdicts[v] : "?";
}

const struct check *check_find(const char *id)
{
	for (size_t i = 0; i < check_count; i++) {
		if (!strcmp(checks[i].id, id))
			return &checks[i];
	}
	return NULL;
}

#define SET(value)                                                                                 \
	do {                                                                                       \
		va_list args;                                                                      \
		ret->verdict = (value);                                                            \
		va_start(args, fmt);                                                               \
		vsnprintf(ret->seen, sizeof(ret->seen), fmt, args);                                \
		va_end(args);                                                                      \
	} while (0)

void check_pass(struct outcome *ret, const char *fmt, ...)
{
	SET(CHECK_PASS);
}

void check_fail(struct outcome *ret, const char *fmt, ...)
{
	SET(CHECK_FAIL);
}

void check_skip(struct outcome *ret, const char *fmt, ...)
{
	SET(CHECK_SKIP);
}

void check_list(char *buf, size_t size, const char *fmt, ...)
{
	static const char more[] = ", ...";
	size_t used = strlen(buf);
	char word[CHECK_SEEN];
	va_list args;

	va_start(args, fmt);
	vsnprintf(word, sizeof(word), fmt, args);
	va_end(args);
	if (used + strlen(word) + 2 + sizeof(more) <= size)
		snprintf(buf + used, size - used, "%s%s", used ? ", " : "", word);
	else if (used + sizeof(more) <= size && strcmp(buf + used - (used < 5 ? used : 5), more))
		snprintf(buf + used, size - used, "%s", more);
}
