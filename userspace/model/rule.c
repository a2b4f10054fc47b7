// SPDX-License-Identifier: BSD-2-Clause
/* rule.c - see rule.h. */
#include "model/rule.h"

#include "base/macros.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct rule rules[] = {
	[RULE_MEM_TRACE] =
		{"mem-trace",
		 "A process traces the server",
		 "a process issues any ptrace request on the server, refused ones "
		 "included; the server starts under a tracer; a seccomp filter hands "
		 "its syscalls to a process",
		 SEVERITY_HIGH,
		 STAGE_TOUCH,
		 {{"T1055.008", "Ptrace System Calls"}},
		 "Ask the actor's user what was debugged. If nobody knows, stop the actor, "
		 "treat every value in the cache as read, and rotate its secrets. A planned "
		 "session belongs in the policy's allow list, with an end."},
	[RULE_MEM_READ] =
		{"mem-read",
		 "A process reads the server's memory",
		 "its memory is read: `process_vm_readv`, `/proc/PID/mem`, "
		 "`PTRACE_PEEK*`, by syscall or io_uring",
		 SEVERITY_CRITICAL,
		 STAGE_TAKE,
		 {{"T1003.007", "Proc Filesystem"}, {"T1005", "Data from Local System"}},
		 "Treat every value and key in this server as read. Stop the actor, keep "
		 "its executable, rotate what the cache held, and find out how it got the "
		 "right to do this."},
	[RULE_MEM_WRITE] =
		{"mem-write",
		 "A process writes the server's memory",
		 "its memory is written: `process_vm_writev`, `/proc/PID/mem` opened "
		 "for writing, `PTRACE_POKE*`",
		 SEVERITY_CRITICAL,
		 STAGE_CHANGE,
		 {{"T1055.009", "Proc Memory"}},
		 "Do not trust this server any more: its code or data may have been "
		 "changed. Take it out of service, keep its memory if you can, and start a "
		 "new one from clean files."},
	[RULE_MEM_INSPECT] =
		{"mem-inspect",
		 "A process looks at the server's layout or environment",
		 "its memory layout or secrets are inspected: `maps`, `smaps`, "
		 "`pagemap`, `environ`, `auxv`, `stack`, `fd/`, …",
		 SEVERITY_MEDIUM,
		 STAGE_LOOK,
		 {{"T1057", "Process Discovery"}, {"T1003.007", "Proc Filesystem"}},
		 "Find out who runs the actor. Monitoring agents read these files: allow "
		 "them by path and user in the policy. Anybody else is preparing something."},
	[RULE_MEM_FD] =
		{"mem-fd",
		 "A process takes the server's descriptors",
		 "its file descriptors are taken: `pidfd_getfd`, `/proc/PID/fd/N` "
		 "reopened, or one of its sockets is held by another process",
		 SEVERITY_HIGH,
		 STAGE_TAKE,
		 {{"T1563", "Remote Service Session Hijacking"}},
		 "Close the client connections of this server: another process may read and "
		 "write them. Stop the actor and find out how it got the descriptor."},
	[RULE_MEM_REMOTE] =
		{"mem-remote",
		 "A process controls the server's memory or limits from outside",
		 "its memory or limits are changed from outside: `process_madvise`, "
		 "`process_mrelease`, `move_pages`, `migrate_pages`, `kcmp`, limits "
		 "set by `prlimit`",
		 SEVERITY_HIGH,
		 STAGE_TOUCH,
		 {{"T1055", "Process Injection"}},
		 "Find out who runs the actor and why. Memory tuning by the operator "
		 "belongs in the policy's allow list; a lifted core limit comes before a "
		 "dump."},
	[RULE_MEM_PROBE] = {"mem-probe",
			    "A process plants probes on the server's code",
			    "it is probed: uprobes on its executable or on a library it maps, "
			    "perf events on its threads",
			    SEVERITY_CRITICAL,
			    STAGE_TAKE,
			    {{"T1056.004", "Credential API Hooking"}},
			    "Remove the probe: it sees plaintext before encryption and after "
			    "decryption. Treat what passed since then as read."},
	[RULE_MEM_KERNEL] =
		{"mem-kernel",
		 "The memory of the whole machine is exposed",
		 "the memory of the whole machine is exposed: kernel modules, "
		 "`kexec`, `/dev/mem`, `/proc/kcore`, BPF programs of others that "
		 "read or write user memory",
		 SEVERITY_HIGH,
		 STAGE_TOUCH,
		 {{"T1547.006", "Kernel Modules and Extensions"}, {"T1014", "Rootkit"}},
		 "Whoever can do this can read all memory of the host, unseen from here on. "
		 "Check the module, program or device that was opened; if it is not yours, "
		 "rebuild the host."},
	[RULE_MEM_DUMP] = {"mem-dump",
			   "The server dumps its memory, or is made to",
			   "it dumps core, is sent a signal that makes it dump core, or is "
			   "allowed to by `prlimit`, `core_pattern` or `coredump_filter`",
			   SEVERITY_HIGH,
			   STAGE_SPILL,
			   {{"T1003.007", "Proc Filesystem"}, {"T1005", "Data from Local System"}},
			   "Find the dump and delete or seal it: it holds the cache's values. Set "
			   "LimitCORE=0 for the service, and find out what made the server crash."},
	[RULE_MEM_INJECT] =
		{"mem-inject",
		 "Code the server did not start with becomes executable in it",
		 "code it did not start with becomes executable in it: a module or "
		 "library loaded later, memory made executable, another program "
		 "executed, `LD_PRELOAD` and the like at its start; or a file that it "
		 "executes is opened for writing, changed or replaced",
		 SEVERITY_CRITICAL,
		 STAGE_CHANGE,
		 {{"T1055", "Process Injection"}, {"T1574.006", "Dynamic Linker Hijacking"}},
		 "Check the named file or module: owner, package, digest. If it is not "
		 "yours, take the server out of service, since its code is no longer its "
		 "own."},
	[RULE_MEM_SPILL] =
		{"mem-spill",
		 "The server's memory leaves RAM or is shared",
		 "its pages leave RAM or are shared: swapped out, mergeable by KSM, "
		 "mapped shared and writable",
		 SEVERITY_MEDIUM,
		 STAGE_SPILL,
		 {{"T1005", "Data from Local System"}},
		 "Turn off swap or encrypt it, turn off KSM for this server, and restart it "
		 "so that nothing is left on disk."},
	[RULE_REST_FILE] =
		{"rest-file",
		 "Another process opens the server's data or configuration files",
		 "its RDB, AOF, ACL or configuration files are opened by another "
		 "process, or are readable by others",
		 SEVERITY_HIGH,
		 STAGE_TAKE,
		 {{"T1005", "Data from Local System"}, {"T1552.001", "Credentials In Files"}},
		 "Check who runs the actor. Backups belong in the policy's allow list. Make "
		 "the files readable by the server's user only (chmod 600)."},
	[RULE_TLS_PLAINTEXT] =
		{"tls-plaintext",
		 "Plaintext crosses a server's socket",
		 "bytes that are not TLS records enter or leave one of its TCP "
		 "sockets: clients, replication, cluster bus",
		 SEVERITY_HIGH,
		 STAGE_SPILL,
		 {{"T1040", "Network Sniffing"}},
		 "Find the client by its address and configure it for TLS. If a password "
		 "was sent, change it. Turn off the plaintext port: port 0."},
	[RULE_TLS_VERSION] =
		{"tls-version",
		 "A handshake negotiates a TLS version below the minimum",
		 "a handshake negotiates less than the minimum TLS version, 1.2 by "
		 "default",
		 SEVERITY_HIGH,
		 STAGE_TOUCH,
		 {{"T1562.010", "Downgrade Attack"}, {"T1040", "Network Sniffing"}},
		 "Update the client, and refuse old versions at the server: tls-protocols "
		 "\"TLSv1.2 TLSv1.3\"."},
	[RULE_TLS_CIPHER] = {"tls-cipher",
			     "A handshake negotiates a cipher suite that is not allowed",
			     "a handshake negotiates a cipher suite that an RFC forbids or that "
			     "is broken: NULL, anonymous, EXPORT, RC4, DES, 3DES",
			     SEVERITY_HIGH,
			     STAGE_TOUCH,
			     {{"T1600", "Weaken Encryption"}, {"T1040", "Network Sniffing"}},
			     "Refuse the suite at the server: tls-ciphers and tls-ciphersuites."},
	[RULE_TLS_MIDSTREAM] =
		{"tls-midstream",
		 "A TLS connection stops being TLS",
		 "a connection that carried TLS records stops doing so",
		 SEVERITY_CRITICAL,
		 STAGE_SPILL,
		 {{"T1557", "Adversary-in-the-Middle"},
		  {"T1565.002", "Transmitted Data Manipulation"}},
		 "Close the connection. Something between or at its ends injects bytes: "
		 "check proxies on the way, and the incident for a process that took the "
		 "socket."},
	[RULE_TLS_WRITER] = {"tls-writer",
			     "Another process writes to a server's socket",
			     "bytes are written to one of its sockets by a process that is not "
			     "the server",
			     SEVERITY_CRITICAL,
			     STAGE_CHANGE,
			     {{"T1563", "Remote Service Session Hijacking"},
			      {"T1565.002", "Transmitted Data Manipulation"}},
			     "Close the connection: the peer has received data that is not the "
			     "server's. Stop the actor and find out how it got the socket."},
	[RULE_TLS_LISTENER] =
		{"tls-listener",
		 "The server serves plaintext on a port",
		 "it answers in plaintext on a port it listens on",
		 SEVERITY_MEDIUM,
		 STAGE_LOOK,
		 {{"T1040", "Network Sniffing"}},
		 "Turn off the plaintext port (port 0, tls-port 6379), or list its clients "
		 "under tls.plaintext in the policy if it has to stay."},
	[RULE_TLS_KEY] =
		{"tls-key",
		 "A private key or session secrets leak",
		 "its private key or key log is opened by another process or readable "
		 "by others, or `SSLKEYLOGFILE` is set at its start",
		 SEVERITY_CRITICAL,
		 STAGE_TAKE,
		 {{"T1552.004", "Private Keys"}},
		 "Replace the key and its certificate, and revoke the old one. Make the key "
		 "readable by the server's user only, and unset SSLKEYLOGFILE."},
	[RULE_SELF_TAMPER] =
		{"self-tamper",
		 "A process tampers with the monitor",
		 "a process accesses or kills the monitor: its process, its guard, "
		 "its BPF maps, programs and links",
		 SEVERITY_HIGH,
		 STAGE_CHANGE,
		 {{"T1562.001", "Disable or Modify Tools"}},
		 "Find out who runs the actor: whoever stops the monitor goes on unseen. Check "
		 "that it runs again, and what happened in the meantime.",
		 "A process looks at the monitor",
		 "Nothing of the monitor was changed, only read. Find out who runs the actor: "
		 "whoever means to stop the monitor looks at it first."},
	[RULE_SELF_BLIND] =
		{"self-blind",
		 "The monitor has a blind spot",
		 "the monitor could not see something: a sensor that is not attached, "
		 "lost records, streams out of sync, a user who took more than his share",
		 SEVERITY_MEDIUM,
		 STAGE_LOOK,
		 {{"T1562.006", "Indicator Blocking"}},
		 "Nothing may have happened, but it would not have been seen. Run "
		 "cachewarden doctor, and check the server by other means for that time. "
		 "Where a user is named, find out what his processes do."},
	[RULE_TLS_BYPASS] =
		{"tls-bypass",
		 "Bytes reach or leave the server outside its TCP connections",
		 "it sends or receives packets other than TCP (UDP, raw sockets), has a "
		 "socket of another kind, or a BPF sockmap moves the bytes of one of its "
		 "connections without a packet",
		 SEVERITY_HIGH,
		 STAGE_SPILL,
		 {{"T1048", "Exfiltration Over Alternative Protocol"}},
		 "Find out what the server sends there. A look-up by UDP port 53 follows "
		 "REPLICAOF, MIGRATE or SENTINEL with a name: who sent it? List expected "
		 "peers under tls.bypass in the policy; detach the sockmap's programs."},
};
_Static_assert(ARRAY_SIZE(rules) == RULE_MAX, "every rule has a row");

const struct rule *rule_get(unsigned int rule)
{
	return rule > RULE_NONE && rule < RULE_MAX ? &rules[rule] : NULL;
}

unsigned int rule_find(const char *name)
{
	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		if (!strcmp(rules[r].name, name))
			return r;
	}
	return RULE_NONE;
}

const char *rule_name(unsigned int rule)
{
	return rule < RULE_MAX ? rules[rule].name : NULL;
}

static bool only_looked(unsigned int rule, enum stage stage)
{
	return rule < RULE_MAX && stage == STAGE_LOOK && rules[rule].look_title;
}

const char *rule_title(unsigned int rule, enum stage stage)
{
	if (only_looked(rule, stage))
		return rules[rule].look_title;
	return rule < RULE_MAX ? rules[rule].title : NULL;
}

const char *rule_advice(unsigned int rule, enum stage stage)
{
	if (only_looked(rule, stage))
		return rules[rule].look_advice;
	return rule < RULE_MAX ? rules[rule].advice : NULL;
}

void rule_names(uint32_t set, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX && used < size; r++) {
		if (set >> r & 1)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? " " : "",
						 rules[r].name);
	}
}

const char *stage_name(enum stage s)
{
	static const char *const names[] = {
		[STAGE_LOOK] = "look",	   [STAGE_TOUCH] = "touch", [STAGE_TAKE] = "take",
		[STAGE_CHANGE] = "change", [STAGE_SPILL] = "spill",
	};
	_Static_assert(ARRAY_SIZE(names) == STAGE_MAX, "every stage has a name");

	return s < STAGE_MAX ? names[s] : NULL;
}
