// SPDX-License-Identifier: BSD-2-Clause
/* rule.c - tables indexed by the enums of event.h. */
#include "model/rule.h"

#include "model/command.h"
#include "model/instance.h"
#include "model/syscall.h"
#include "model/tls_suite.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syscall.h>

struct rule {
	const char *name;
	const char *title;
	enum severity severity;
	struct technique techniques[TECHNIQUES_MAX];
};

static const struct rule rules[RULE_MAX] = {
	[RULE_MEM_TRACE] = {"mem-trace",
			    "A process traces the server",
			    SEVERITY_HIGH,
			    {{"T1055.008", "Ptrace System Calls"}}},
	[RULE_MEM_READ] = {"mem-read",
			   "A process reads the server's memory",
			   SEVERITY_CRITICAL,
			   {{"T1003.007", "Proc Filesystem"}, {"T1005", "Data from Local System"}}},
	[RULE_MEM_WRITE] = {"mem-write",
			    "A process writes the server's memory",
			    SEVERITY_CRITICAL,
			    {{"T1055.009", "Proc Memory"}}},
	[RULE_MEM_INSPECT] = {"mem-inspect",
			      "A process looks at the server's layout or environment",
			      SEVERITY_MEDIUM,
			      {{"T1057", "Process Discovery"}, {"T1003.007", "Proc Filesystem"}}},
	[RULE_MEM_FD] = {"mem-fd",
			 "A process takes the server's descriptors",
			 SEVERITY_HIGH,
			 {{"T1563", "Remote Service Session Hijacking"}}},
	[RULE_MEM_REMOTE] = {"mem-remote",
			     "A process steers the server's memory or limits from outside",
			     SEVERITY_HIGH,
			     {{"T1055", "Process Injection"}}},
	[RULE_MEM_PROBE] = {"mem-probe",
			    "A process plants probes on the server's code",
			    SEVERITY_CRITICAL,
			    {{"T1056.004", "Credential API Hooking"}}},
	[RULE_MEM_KERNEL] = {"mem-kernel",
			     "The whole machine's memory is opened up",
			     SEVERITY_HIGH,
			     {{"T1547.006", "Kernel Modules and Extensions"},
			      {"T1014", "Rootkit"}}},
	[RULE_MEM_DUMP] = {"mem-dump",
			   "The server dumps its memory, or is made to",
			   SEVERITY_HIGH,
			   {{"T1003.007", "Proc Filesystem"}, {"T1005", "Data from Local System"}}},
	[RULE_MEM_INJECT] = {"mem-inject",
			     "Code the server did not start with becomes executable in it",
			     SEVERITY_CRITICAL,
			     {{"T1055", "Process Injection"},
			      {"T1574.006", "Dynamic Linker Hijacking"}}},
	[RULE_MEM_SPILL] = {"mem-spill",
			    "The server's memory leaves RAM or is shared",
			    SEVERITY_MEDIUM,
			    {{"T1005", "Data from Local System"}}},
	[RULE_REST_FILE] = {"rest-file",
			    "A stranger opens the server's data, configuration or key files",
			    SEVERITY_HIGH,
			    {{"T1005", "Data from Local System"},
			     {"T1552.001", "Credentials In Files"}}},
	[RULE_TLS_PLAINTEXT] = {"tls-plaintext",
				"Bytes that are no TLS cross a server's socket",
				SEVERITY_HIGH,
				{{"T1040", "Network Sniffing"}}},
	[RULE_TLS_VERSION] = {"tls-version",
			      "A handshake settles on a TLS version below the minimum",
			      SEVERITY_HIGH,
			      {{"T1562.010", "Downgrade Attack"}, {"T1040", "Network Sniffing"}}},
	[RULE_TLS_CIPHER] = {"tls-cipher",
			     "A handshake settles on a cipher suite that is not allowed",
			     SEVERITY_HIGH,
			     {{"T1600", "Weaken Encryption"}, {"T1040", "Network Sniffing"}}},
	[RULE_TLS_MIDSTREAM] = {"tls-midstream",
				"A TLS connection stops being TLS",
				SEVERITY_CRITICAL,
				{{"T1557", "Adversary-in-the-Middle"},
				 {"T1565.002", "Transmitted Data Manipulation"}}},
	[RULE_TLS_WRITER] = {"tls-writer",
			     "A stranger writes to a server's socket",
			     SEVERITY_CRITICAL,
			     {{"T1563", "Remote Service Session Hijacking"},
			      {"T1565.002", "Transmitted Data Manipulation"}}},
	[RULE_TLS_LISTENER] = {"tls-listener",
			       "The server listens where plaintext is served",
			       SEVERITY_MEDIUM,
			       {{"T1040", "Network Sniffing"}}},
	[RULE_TLS_KEY] = {"tls-key",
			  "A private key or session secrets leak",
			  SEVERITY_CRITICAL,
			  {{"T1552.004", "Private Keys"}}},
	[RULE_SELF_TAMPER] = {"self-tamper",
			      "A process touches the monitor",
			      SEVERITY_HIGH,
			      {{"T1562.001", "Disable or Modify Tools"}}},
	[RULE_SELF_BLIND] = {"self-blind",
			     "The monitor could not see something",
			     SEVERITY_MEDIUM,
			     {{"T1562.006", "Indicator Blocking"}}},
};

static const char *const vectors[VECTOR_MAX] = {
	[VECTOR_PTRACE] = "ptrace",
	[VECTOR_PROCESS_VM_READV] = "process_vm_readv",
	[VECTOR_PROCESS_VM_WRITEV] = "process_vm_writev",
	[VECTOR_PIDFD_GETFD] = "pidfd_getfd",
	[VECTOR_OPEN] = "open",
	[VECTOR_CREAT] = "creat",
	[VECTOR_OPENAT] = "openat",
	[VECTOR_OPENAT2] = "openat2",
	[VECTOR_OPEN_BY_HANDLE_AT] = "open_by_handle_at",
	[VECTOR_IO_URING_OPEN] = "io_uring",
	[VECTOR_ACCESS] = "access",
	[VECTOR_SYSCALL] = "syscall",
	[VECTOR_SIGNAL] = "signal",
	[VECTOR_EXEC] = "exec",
	[VECTOR_CORE] = "core dump",
	[VECTOR_UPROBE] = "uprobe",
	[VECTOR_EGRESS] = "egress",
	[VECTOR_INGRESS] = "ingress",
	[VECTOR_SWEEP] = "sweep",
	[VECTOR_COLLECTOR] = "collector",
};

static const char *const payloads[PAYLOAD_MAX] = {
	[PAYLOAD_OTHER] = "other",
	[PAYLOAD_RESP_COMMAND] = "resp-command",
	[PAYLOAD_RESP_REPLY] = "resp-reply",
	[PAYLOAD_INLINE] = "inline",
	[PAYLOAD_HTTP] = "http",
	[PAYLOAD_PRINTABLE] = "printable",
	[PAYLOAD_SSLV2_HELLO] = "sslv2-hello",
};

struct proc_file_info {
	const char *name;
	unsigned char read, write; /* enum rule_id */
	enum severity severity;
};

static const struct proc_file_info proc_files[FILE_KIND_MAX] = {
	[PROC_FILE_MEM] = {"mem", RULE_MEM_READ, RULE_MEM_WRITE, SEVERITY_CRITICAL},
	[PROC_FILE_MAPS] = {"maps", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_SMAPS] = {"smaps", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_SMAPS_ROLLUP] = {"smaps_rollup", RULE_MEM_INSPECT, RULE_MEM_INSPECT,
				    SEVERITY_LOW},
	[PROC_FILE_NUMA_MAPS] = {"numa_maps", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_PAGEMAP] = {"pagemap", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_CLEAR_REFS] = {"clear_refs", RULE_MEM_INSPECT, RULE_MEM_INSPECT,
				  SEVERITY_MEDIUM},
	[PROC_FILE_ENVIRON] = {"environ", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_AUXV] = {"auxv", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_STACK] = {"stack", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_SYSCALL] = {"syscall", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_PERSONALITY] = {"personality", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_LOW},
	[PROC_FILE_IO] = {"io", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_LOW},
	[PROC_FILE_MAP_FILES] = {"map_files", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_MEDIUM},
	[PROC_FILE_FD] = {"fd", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_LOW},
	[PROC_FILE_FDINFO] = {"fdinfo", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_LOW},
	[PROC_FILE_COREDUMP_FILTER] = {"coredump_filter", RULE_NONE, RULE_MEM_DUMP, SEVERITY_HIGH},
	[PROC_FILE_KCORE] = {"kcore", RULE_MEM_KERNEL, RULE_MEM_KERNEL, SEVERITY_CRITICAL},
	[PROC_FILE_CORE_PATTERN] = {"core_pattern", RULE_NONE, RULE_MEM_DUMP, SEVERITY_HIGH},
	[HOST_UPROBE_EVENTS] = {"uprobe_events", RULE_NONE, RULE_MEM_PROBE, SEVERITY_HIGH},
	[HOST_DYNAMIC_EVENTS] = {"dynamic_events", RULE_NONE, RULE_MEM_PROBE, SEVERITY_HIGH},
	[HOST_KPROBE_EVENTS] = {"kprobe_events", RULE_NONE, RULE_MEM_KERNEL, SEVERITY_HIGH},
	[HOST_DEV_MEM] = {"/dev/mem", RULE_MEM_KERNEL, RULE_MEM_KERNEL, SEVERITY_CRITICAL},
	[HOST_LD_SO_PRELOAD] = {"/etc/ld.so.preload", RULE_NONE, RULE_MEM_INJECT, SEVERITY_HIGH},
	[FILE_DATA] = {"data file", RULE_REST_FILE, RULE_REST_FILE, SEVERITY_HIGH},
	[FILE_CONFIG] = {"configuration", RULE_REST_FILE, RULE_REST_FILE, SEVERITY_MEDIUM},
	[FILE_ACL] = {"ACL file", RULE_REST_FILE, RULE_REST_FILE, SEVERITY_HIGH},
	[FILE_KEY] = {"private key", RULE_TLS_KEY, RULE_TLS_KEY, SEVERITY_CRITICAL},
	[FILE_KEYLOG] = {"session secrets", RULE_TLS_KEY, RULE_TLS_KEY, SEVERITY_CRITICAL},
	[PROC_FILE_WALK] = {"path walk", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_LOW},
	[PROC_FILE_FD_ENTRY] = {"fd/N", RULE_MEM_FD, RULE_MEM_FD, SEVERITY_HIGH},
};

/* What a sweep found, from FINDING_SOCKET on; the same kinds of code where a hook saw it. */
static const struct swept_info {
	const char *name;
	enum severity severity;
} swepts[FINDING_MAX] = {
	[FINDING_SOCKET] = {"connection held", SEVERITY_HIGH},
	[FINDING_LISTENER] = {"listening socket held", SEVERITY_MEDIUM},
	[FINDING_PERF_EVENT] = {"perf event held", SEVERITY_HIGH},
	[FINDING_UPROBES] = {"breakpoints in its code, now or before", SEVERITY_CRITICAL},
	[FINDING_MERGEABLE] = {"KSM may merge its memory with others'", SEVERITY_MEDIUM},
	[FINDING_SWAPPED] = {"swapped out", SEVERITY_MEDIUM},
	[FINDING_SHARED] = {"shared writable mapping", SEVERITY_MEDIUM},
	[FINDING_CODE_FILE] = {"file", SEVERITY_CRITICAL},
	[FINDING_CODE_ANONYMOUS] = {"anonymous memory", SEVERITY_CRITICAL},
	[FINDING_CODE_WRITABLE] = {"writable memory", SEVERITY_CRITICAL},
	[FINDING_EXPOSED_DATA] = {"data file that others may read", SEVERITY_MEDIUM},
	[FINDING_EXPOSED_CONFIG] = {"configuration that others may read", SEVERITY_LOW},
	[FINDING_EXPOSED_ACL] = {"ACL file that others may read", SEVERITY_MEDIUM},
	[FINDING_EXPOSED_KEY] = {"private key that others may read", SEVERITY_HIGH},
	[FINDING_PRELOAD_FILE] = {"/etc/ld.so.preload names libraries", SEVERITY_HIGH},
	[FINDING_VM_READV] = {"process_vm_readv under way", SEVERITY_CRITICAL},
	[FINDING_VM_WRITEV] = {"process_vm_writev under way", SEVERITY_CRITICAL},
};

static const char *const env_names[ENV_MAX] = {
	[ENV_LD_PRELOAD] = "LD_PRELOAD in its environment",
	[ENV_LD_AUDIT] = "LD_AUDIT in its environment",
	[ENV_SSLKEYLOGFILE] = "SSLKEYLOGFILE in its environment",
};

static const char *const severities[] = {
	[SEVERITY_INFO] = "info", [SEVERITY_LOW] = "low",	    [SEVERITY_MEDIUM] = "medium",
	[SEVERITY_HIGH] = "high", [SEVERITY_CRITICAL] = "critical",
};

struct request {
	unsigned int number;
	const char *name;
};

/* include/uapi/linux/ptrace.h and arch/x86/include/uapi/asm/ptrace-abi.h */
static const struct request requests[] = {
	{0, "PTRACE_TRACEME"},
	{1, "PTRACE_PEEKTEXT"},
	{2, "PTRACE_PEEKDATA"},
	{3, "PTRACE_PEEKUSR"},
	{4, "PTRACE_POKETEXT"},
	{5, "PTRACE_POKEDATA"},
	{6, "PTRACE_POKEUSR"},
	{7, "PTRACE_CONT"},
	{8, "PTRACE_KILL"},
	{9, "PTRACE_SINGLESTEP"},
	{12, "PTRACE_GETREGS"},
	{13, "PTRACE_SETREGS"},
	{14, "PTRACE_GETFPREGS"},
	{15, "PTRACE_SETFPREGS"},
	{16, "PTRACE_ATTACH"},
	{17, "PTRACE_DETACH"},
	{18, "PTRACE_GETFPXREGS"},
	{19, "PTRACE_SETFPXREGS"},
	{24, "PTRACE_SYSCALL"},
	{25, "PTRACE_GET_THREAD_AREA"},
	{26, "PTRACE_SET_THREAD_AREA"},
	{30, "PTRACE_ARCH_PRCTL"},
	{31, "PTRACE_SYSEMU"},
	{32, "PTRACE_SYSEMU_SINGLESTEP"},
	{33, "PTRACE_SINGLEBLOCK"},
	{0x4200, "PTRACE_SETOPTIONS"},
	{0x4201, "PTRACE_GETEVENTMSG"},
	{0x4202, "PTRACE_GETSIGINFO"},
	{0x4203, "PTRACE_SETSIGINFO"},
	{0x4204, "PTRACE_GETREGSET"},
	{0x4205, "PTRACE_SETREGSET"},
	{0x4206, "PTRACE_SEIZE"},
	{0x4207, "PTRACE_INTERRUPT"},
	{0x4208, "PTRACE_LISTEN"},
	{0x4209, "PTRACE_PEEKSIGINFO"},
	{0x420a, "PTRACE_GETSIGMASK"},
	{0x420b, "PTRACE_SETSIGMASK"},
	{0x420c, "PTRACE_SECCOMP_GET_FILTER"},
	{0x420d, "PTRACE_SECCOMP_GET_METADATA"},
	{0x420e, "PTRACE_GET_SYSCALL_INFO"},
	{0x420f, "PTRACE_GET_RSEQ_CONFIGURATION"},
	{0x4210, "PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG"},
	{0x4211, "PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG"},
	{0x4212, "PTRACE_SET_SYSCALL_INFO"},
};

/* What a syscall was asked for, by its number and the argument that says so. */
static const struct asked {
	unsigned int syscall, asked;
	const char *name;
} askeds[] = {
	/* include/uapi/asm-generic/mman-common.h */
	{SYS_process_madvise, 3, "MADV_WILLNEED"},
	{SYS_process_madvise, 4, "MADV_DONTNEED"},
	{SYS_process_madvise, 12, "MADV_MERGEABLE"},
	{SYS_process_madvise, 20, "MADV_COLD"},
	{SYS_process_madvise, 21, "MADV_PAGEOUT"},
	{SYS_process_madvise, 25, "MADV_COLLAPSE"},
	/* include/uapi/asm-generic/resource.h */
	{SYS_prlimit64, 0, "RLIMIT_CPU"},
	{SYS_prlimit64, 1, "RLIMIT_FSIZE"},
	{SYS_prlimit64, 2, "RLIMIT_DATA"},
	{SYS_prlimit64, 3, "RLIMIT_STACK"},
	{SYS_prlimit64, 4, "RLIMIT_CORE"},
	{SYS_prlimit64, 5, "RLIMIT_RSS"},
	{SYS_prlimit64, 6, "RLIMIT_NPROC"},
	{SYS_prlimit64, 7, "RLIMIT_NOFILE"},
	{SYS_prlimit64, 8, "RLIMIT_MEMLOCK"},
	{SYS_prlimit64, 9, "RLIMIT_AS"},
	{SYS_prlimit64, 11, "RLIMIT_SIGPENDING"},
	{SYS_prlimit64, 12, "RLIMIT_MSGQUEUE"},
	{SYS_prlimit64, 13, "RLIMIT_NICE"},
	{SYS_prlimit64, 14, "RLIMIT_RTPRIO"},
	{SYS_prlimit64, 15, "RLIMIT_RTTIME"},
	/* enum finding_kind */
	{SYS_mmap, FINDING_CODE_FILE, "file"},
	{SYS_mmap, FINDING_CODE_ANONYMOUS, "anonymous memory"},
	{SYS_mmap, FINDING_CODE_WRITABLE, "writable memory"},
	{SYS_mprotect, FINDING_CODE_ANONYMOUS, "memory"},
	{SYS_mprotect, FINDING_CODE_WRITABLE, "writable memory"},
	{SYS_pkey_mprotect, FINDING_CODE_ANONYMOUS, "memory"},
	{SYS_pkey_mprotect, FINDING_CODE_WRITABLE, "writable memory"},
	/* include/uapi/linux/kcmp.h */
	{SYS_kcmp, 0, "KCMP_FILE"},
	{SYS_kcmp, 1, "KCMP_VM"},
	{SYS_kcmp, 2, "KCMP_FILES"},
	{SYS_kcmp, 3, "KCMP_FS"},
	{SYS_kcmp, 4, "KCMP_SIGHAND"},
	{SYS_kcmp, 5, "KCMP_IO"},
	{SYS_kcmp, 6, "KCMP_SYSVSEM"},
	{SYS_kcmp, 7, "KCMP_EPOLL_TFD"},
	/* enum perf_op */
	{SYS_perf_event_open, PERF_OP_COUNT, "counter"},
	{SYS_perf_event_open, PERF_OP_SAMPLE, "samples"},
	{SYS_perf_event_open, PERF_OP_SAMPLE_USER, "samples with user registers or stack"},
	{SYS_perf_event_open, PERF_OP_UPROBE, "uprobe"},
	/* enum bpf_cmd */
	{SYS_bpf, 1, "BPF_MAP_LOOKUP_ELEM"},
	{SYS_bpf, 2, "BPF_MAP_UPDATE_ELEM"},
	{SYS_bpf, 3, "BPF_MAP_DELETE_ELEM"},
	{SYS_bpf, 4, "BPF_MAP_GET_NEXT_KEY"},
	{SYS_bpf, 5, "BPF_PROG_LOAD"},
	{SYS_bpf, 6, "BPF_OBJ_PIN"},
	{SYS_bpf, 7, "BPF_OBJ_GET"},
	{SYS_bpf, 8, "BPF_PROG_ATTACH"},
	{SYS_bpf, 9, "BPF_PROG_DETACH"},
	{SYS_bpf, 10, "BPF_PROG_TEST_RUN"},
	{SYS_bpf, 13, "BPF_PROG_GET_FD_BY_ID"},
	{SYS_bpf, 14, "BPF_MAP_GET_FD_BY_ID"},
	{SYS_bpf, 15, "BPF_OBJ_GET_INFO_BY_FD"},
	{SYS_bpf, 21, "BPF_MAP_LOOKUP_AND_DELETE_ELEM"},
	{SYS_bpf, 22, "BPF_MAP_FREEZE"},
	{SYS_bpf, 24, "BPF_MAP_LOOKUP_BATCH"},
	{SYS_bpf, 25, "BPF_MAP_LOOKUP_AND_DELETE_BATCH"},
	{SYS_bpf, 26, "BPF_MAP_UPDATE_BATCH"},
	{SYS_bpf, 27, "BPF_MAP_DELETE_BATCH"},
	{SYS_bpf, 28, "BPF_LINK_CREATE"},
	{SYS_bpf, 29, "BPF_LINK_UPDATE"},
	{SYS_bpf, 30, "BPF_LINK_GET_FD_BY_ID"},
	{SYS_bpf, 33, "BPF_ITER_CREATE"},
	{SYS_bpf, 34, "BPF_LINK_DETACH"},
	{SYS_bpf, 35, "BPF_PROG_BIND_MAP"},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *rule_name(unsigned int rule)
{
	return rule < RULE_MAX ? rules[rule].name : NULL;
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

const char *rule_title(unsigned int rule)
{
	return rule < RULE_MAX ? rules[rule].title : NULL;
}

const struct technique *rule_techniques(unsigned int rule)
{
	return rules[rule < RULE_MAX ? rule : RULE_NONE].techniques;
}

const char *vector_name(unsigned int vector)
{
	return vector < VECTOR_MAX ? vectors[vector] : NULL;
}

void rule_vector(const struct event *ev, char *buf, size_t size)
{
	bool narrow = ev->key.detail & SYSCALL_32BIT;
	unsigned int number = ev->key.detail & SYSCALL_NUMBER_MASK;
	const char *name = narrow ? NULL : syscall_name(number);

	if (ev->key.vector != VECTOR_ACCESS && ev->key.vector != VECTOR_SYSCALL) {
		snprintf(buf, size, "%s", vector_name(ev->key.vector));
		return;
	}
	if (name)
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, "%s %u", narrow ? "32-bit syscall" : "syscall", number);
}

const char *payload_name(unsigned int payload)
{
	return payload < PAYLOAD_MAX ? payloads[payload] : NULL;
}

const char *severity_name(enum severity s)
{
	return severities[s];
}

const char *proc_file_name(unsigned int file)
{
	return file < FILE_KIND_MAX ? proc_files[file].name : NULL;
}

unsigned int proc_file_rule(unsigned int file, int write)
{
	return write ? proc_files[file].write : proc_files[file].read;
}

static bool is_open(unsigned int vector)
{
	return vector >= VECTOR_OPEN && vector <= VECTOR_IO_URING_OPEN;
}

/* Found by a sweep, its detail an enum finding_kind? */
static bool swept(const struct event *ev)
{
	return ev->key.vector == VECTOR_SWEEP && ev->key.rule != RULE_MEM_KERNEL &&
	       ev->key.rule != RULE_MEM_TRACE;
}

/* Who lists all BPF objects of a host sees the monitor's among them. */
static bool is_look(unsigned int cmd)
{
	static const unsigned char looks[] = {1, 4, 13, 14, 15, 24, 30};

	return memchr(looks, (int)cmd, sizeof(looks)) != NULL;
}

/* What only wakes it, or asks it to end in good order, is no disguise. */
static bool is_mild(unsigned int sig)
{
	static const unsigned char mild[] = {SIGHUP,  SIGINT, SIGTERM, SIGCONT,
					     SIGCHLD, SIGURG, SIGWINCH};

	return memchr(mild, (int)sig, sizeof(mild)) != NULL;
}

static enum severity tamper_severity(const struct event *ev)
{
	unsigned int number = ev->key.detail & SYSCALL_NUMBER_MASK;
	unsigned int asked = ev->key.detail >> SYSCALL_OP_SHIFT & SYSCALL_OP_MASK;

	switch (ev->key.vector) {
	case VECTOR_ACCESS:
		return SEVERITY_LOW;
	case VECTOR_SIGNAL:
		return is_mild(ev->key.detail) ? SEVERITY_LOW : SEVERITY_HIGH;
	case VECTOR_SYSCALL:
		return number == SYS_bpf && is_look(asked) ? SEVERITY_LOW : SEVERITY_HIGH;
	default:
		return SEVERITY_HIGH;
	}
}

/*
 * Programs that list what runs, for people and agents. They look into every process's environment, layout or
 * descriptors, which is told, and no more than low. By the executable's path: whoever can put his own program
 * there has the host.
 */
static bool is_lister(const struct event *ev)
{
	static const char *const dirs[] = {"/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"};
	static const char *const names[] = {
		"ps",	"top",	 "htop", "pgrep", "pidof",  "killall5",
		"lsof", "fuser", "ss",	 "w",	  "pstree", "prometheus-node-exporter"};
	char path[PATH_LEN];

	if (!(ev->flags & EVENT_ACTOR) ||
	    !instance_exe_path(&ev->actor, &ev->actor.exe, path, sizeof(path)))
		return false;
	for (size_t d = 0; d < COUNT(dirs); d++) {
		size_t n = strlen(dirs[d]);

		for (size_t i = 0; !strncmp(path, dirs[d], n) && i < COUNT(names); i++) {
			if (!strcmp(path + n, names[i]))
				return true;
		}
	}
	return false;
}

/* Does it read what process listers read? */
static bool is_listing(const struct event *ev)
{
	return is_open(ev->key.vector) && ev->key.detail < FILE_KIND_MAX &&
	       proc_files[ev->key.detail].read == RULE_MEM_INSPECT &&
	       (ev->key.rule == RULE_MEM_INSPECT || ev->key.rule == RULE_SELF_TAMPER);
}

enum severity rule_severity(const struct event *ev)
{
	unsigned int rule = ev->key.rule < RULE_MAX ? ev->key.rule : RULE_NONE;
	enum severity s = rules[rule].severity ? rules[rule].severity : SEVERITY_INFO;

	if (rule == RULE_SELF_TAMPER)
		s = tamper_severity(ev);
	if ((is_open(ev->key.vector) || swept(ev)) && ev->key.detail < FILE_KIND_MAX &&
	    proc_files[ev->key.detail].name)
		s = proc_files[ev->key.detail].severity;
	if (swept(ev) && ev->key.detail >= FINDING_SOCKET && ev->key.detail < FINDING_MAX)
		s = swepts[ev->key.detail].severity;
	if (ev->key.vector == VECTOR_EXEC && ev->key.detail < ENV_MAX && ev->key.detail)
		s = SEVERITY_HIGH;
	if (ev->flags & EVENT_SEALED)
		s = SEVERITY_INFO;
	if (ev->key.vector == VECTOR_ACCESS && rule == RULE_MEM_INSPECT)
		s = SEVERITY_LOW;
	/* a password in the clear is worse than a key in the clear */
	if (rule == RULE_TLS_PLAINTEXT && command_secret(ev->conn.command))
		s = SEVERITY_CRITICAL;
	if (s > SEVERITY_LOW && is_listing(ev) && is_lister(ev))
		s = SEVERITY_LOW;
	if (ev->key.err && s > SEVERITY_INFO)
		s--;
	return s;
}

static void asked_name(const struct event *ev, char *buf, size_t size)
{
	unsigned int number = ev->key.detail & SYSCALL_NUMBER_MASK;
	unsigned int asked = ev->key.detail >> SYSCALL_OP_SHIFT & SYSCALL_OP_MASK;

	for (size_t i = 0; i < COUNT(askeds); i++) {
		if (askeds[i].syscall != number || askeds[i].asked != asked)
			continue;
		if (number == SYS_bpf && ev->fd)
			snprintf(buf, size, "%s program %u", askeds[i].name, ev->fd);
		else
			snprintf(buf, size, "%s", askeds[i].name);
		return;
	}
}

static void swept_name(const struct event *ev, char *buf, size_t size)
{
	if (ev->key.rule == RULE_MEM_KERNEL)
		snprintf(buf, size, "BPF program %u", ev->key.detail);
	else if (!swept(ev))
		return;
	else if (proc_file_name(ev->key.detail))
		snprintf(buf, size, "%s held open", proc_file_name(ev->key.detail));
	else if (ev->key.detail == FINDING_SWAPPED)
		snprintf(buf, size, "%u pages swapped out%s", ev->fd,
			 ev->flags & EVENT_SEALED ? ", encrypted or in RAM" : "");
	else if (ev->key.detail < FINDING_MAX && swepts[ev->key.detail].name)
		snprintf(buf, size, "%s", swepts[ev->key.detail].name);
}

/* Returns false where a wire rule has nothing to add. */
static bool wire_detail(const struct event *ev, char *buf, size_t size)
{
	const struct tls_suite *suite = tls_suite_find(ev->conn.tls_cipher);
	const char *command = command_name(ev->conn.command);

	switch (ev->key.rule) {
	case RULE_TLS_PLAINTEXT:
		if (command_secret(ev->conn.command))
			snprintf(buf, size, "credential exposed%s",
				 strcmp(command, "AUTH") ? ", if it held one" : "");
		return true;
	case RULE_TLS_VERSION:
		snprintf(buf, size, "%s settled",
			 tls_version_name(ev->conn.tls_version) ?: "unknown version");
		return true;
	case RULE_TLS_CIPHER:
		if (suite)
			snprintf(buf, size, "%s: %s", suite->name, suite->source);
		else
			snprintf(buf, size, "suite 0x%04x", ev->conn.tls_cipher);
		return true;
	case RULE_TLS_LISTENER:
		snprintf(buf, size, "plaintext is served on port %llu",
			 (unsigned long long)ev->key.actor);
		return true;
	default:
		return false;
	}
}

void rule_detail(const struct event *ev, char *buf, size_t size)
{
	buf[0] = '\0';
	if (wire_detail(ev, buf, size))
		return;
	switch (ev->key.vector) {
	case VECTOR_SWEEP:
		swept_name(ev, buf, size);
		return;
	case VECTOR_PTRACE:
		for (size_t i = 0; i < COUNT(requests); i++) {
			if (requests[i].number == ev->key.detail) {
				snprintf(buf, size, "%s", requests[i].name);
				return;
			}
		}
		snprintf(buf, size, "request %u", ev->key.detail);
		return;
	case VECTOR_PIDFD_GETFD:
		snprintf(buf, size, "fd %u", ev->fd);
		return;
	case VECTOR_SIGNAL:
		snprintf(buf, size, "SIG%s", sigabbrev_np((int)ev->key.detail) ?: "?");
		return;
	case VECTOR_SYSCALL:
		asked_name(ev, buf, size);
		return;
	case VECTOR_EXEC:
		if (ev->key.detail && ev->key.detail < ENV_MAX)
			snprintf(buf, size, "%s", env_names[ev->key.detail]);
		return;
	default:
		if (is_open(ev->key.vector) && proc_file_name(ev->key.detail))
			snprintf(buf, size, "%s", proc_file_name(ev->key.detail));
		return;
	}
}

const char *rule_verdict(const struct event *ev)
{
	return ev->flags & EVENT_PREVENTED ? "prevented" : "alert";
}

const char *rule_outcome(const struct event *ev)
{
	if (ev->flags & EVENT_PREVENTED && !ev->key.err)
		return ev->flags & EVENT_CONN ? "dropped" : "killed";
	if (ev->key.vector == VECTOR_SWEEP || ev->flags & EVENT_IN_PROGRESS)
		return "unknown";
	if (!ev->key.err)
		return "succeeded";
	return ev->key.err == EPERM || ev->key.err == EACCES ? "denied" : "failed";
}

enum stage rule_stage(const struct event *ev)
{
	static const unsigned char stages[RULE_MAX] = {
		[RULE_MEM_TRACE] = STAGE_TOUCH,	    [RULE_MEM_READ] = STAGE_TAKE,
		[RULE_MEM_WRITE] = STAGE_CHANGE,    [RULE_MEM_INSPECT] = STAGE_LOOK,
		[RULE_MEM_FD] = STAGE_TAKE,	    [RULE_MEM_REMOTE] = STAGE_TOUCH,
		[RULE_MEM_PROBE] = STAGE_TAKE,	    [RULE_MEM_KERNEL] = STAGE_TOUCH,
		[RULE_MEM_DUMP] = STAGE_SPILL,	    [RULE_MEM_INJECT] = STAGE_CHANGE,
		[RULE_MEM_SPILL] = STAGE_SPILL,	    [RULE_REST_FILE] = STAGE_TAKE,
		[RULE_TLS_PLAINTEXT] = STAGE_SPILL, [RULE_TLS_VERSION] = STAGE_TOUCH,
		[RULE_TLS_CIPHER] = STAGE_TOUCH,    [RULE_TLS_MIDSTREAM] = STAGE_SPILL,
		[RULE_TLS_WRITER] = STAGE_CHANGE,   [RULE_TLS_LISTENER] = STAGE_LOOK,
		[RULE_TLS_KEY] = STAGE_TAKE,	    [RULE_SELF_TAMPER] = STAGE_CHANGE,
		[RULE_SELF_BLIND] = STAGE_LOOK,
	};
	enum stage s = ev->key.rule < RULE_MAX ? stages[ev->key.rule] : STAGE_NONE;

	if ((ev->key.err || ev->flags & EVENT_PREVENTED) && s > STAGE_TOUCH)
		s = STAGE_TOUCH;
	return s;
}

const char *stage_name(enum stage s)
{
	static const char *const names[STAGE_MAX] = {
		[STAGE_LOOK] = "look",	   [STAGE_TOUCH] = "touch", [STAGE_TAKE] = "take",
		[STAGE_CHANGE] = "change", [STAGE_SPILL] = "spill",
	};

	return s < STAGE_MAX ? names[s] : NULL;
}
