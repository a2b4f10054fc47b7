// SPDX-License-Identifier: BSD-2-Clause
/* rule.c - tables indexed by the enums of event.h. */
#include "rule.h"

#include <errno.h>
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
	[RULE_TLS_PLAINTEXT] = {"tls-plaintext",
				"Bytes that are no TLS cross a server's socket",
				SEVERITY_HIGH,
				{{"T1040", "Network Sniffing"}}},
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
	[VECTOR_EGRESS] = "egress",
	[VECTOR_INGRESS] = "ingress",
	[VECTOR_SWEEP] = "sweep",
	[VECTOR_COLLECTOR] = "collector",
};

static const char *const saws[SAW_MAX] = {
	[SAW_OTHER] = "other",
	[SAW_RESP_COMMAND] = "resp-command",
	[SAW_RESP_REPLY] = "resp-reply",
	[SAW_INLINE] = "inline",
	[SAW_HTTP] = "http",
	[SAW_PRINTABLE] = "printable",
	[SAW_SSLV2_HELLO] = "sslv2-hello",
};

struct proc_file_info {
	const char *name;
	unsigned char read, write; /* enum rule_id */
	enum severity severity;
};

static const struct proc_file_info proc_files[PROC_FILE_MAX] = {
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
	[PROC_FILE_WALK] = {"path walk", RULE_MEM_INSPECT, RULE_MEM_INSPECT, SEVERITY_LOW},
	[PROC_FILE_FD_ENTRY] = {"fd/N", RULE_MEM_FD, RULE_MEM_FD, SEVERITY_HIGH},
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

/* Syscalls that pass the ptrace check on the way, by their x86-64 number. */
static const struct request syscalls[] = {
	{SYS_read, "read"},
	{SYS_stat, "stat"},
	{SYS_lstat, "lstat"},
	{SYS_pread64, "pread64"},
	{SYS_access, "access"},
	{SYS_execve, "execve"},
	{SYS_getdents, "getdents"},
	{SYS_chdir, "chdir"},
	{SYS_readlink, "readlink"},
	{SYS_chroot, "chroot"},
	{SYS_mount, "mount"},
	{SYS_getxattr, "getxattr"},
	{SYS_getdents64, "getdents64"},
	{SYS_newfstatat, "newfstatat"},
	{SYS_readlinkat, "readlinkat"},
	{SYS_faccessat, "faccessat"},
	{SYS_migrate_pages, "migrate_pages"},
	{SYS_get_robust_list, "get_robust_list"},
	{SYS_move_pages, "move_pages"},
	{SYS_perf_event_open, "perf_event_open"},
	{SYS_name_to_handle_at, "name_to_handle_at"},
	{SYS_kcmp, "kcmp"},
	{SYS_execveat, "execveat"},
	{SYS_statx, "statx"},
	{SYS_open_tree, "open_tree"},
	{SYS_faccessat2, "faccessat2"},
	{SYS_process_madvise, "process_madvise"},
	{SYS_process_mrelease, "process_mrelease"},
};

/*
 * Number = place + 1. Redis 7, Valkey 8, Sentinel, and what replication and the modules shipped
 * with Redis speak.
 */
static const char *const commands[] = {
	"ACL",
	"APPEND",
	"ASKING",
	"AUTH",
	"BGREWRITEAOF",
	"BGSAVE",
	"BITCOUNT",
	"BITFIELD",
	"BITFIELD_RO",
	"BITOP",
	"BITPOS",
	"BLMOVE",
	"BLMPOP",
	"BLPOP",
	"BRPOP",
	"BRPOPLPUSH",
	"BZMPOP",
	"BZPOPMAX",
	"BZPOPMIN",
	"CLIENT",
	"CLUSTER",
	"CLUSTERSCAN",
	"COMMAND",
	"COMMANDLOG",
	"CONFIG",
	"COPY",
	"DBSIZE",
	"DEBUG",
	"DECR",
	"DECRBY",
	"DEL",
	"DELIFEQ",
	"DISCARD",
	"DUMP",
	"ECHO",
	"EVAL",
	"EVALSHA",
	"EVALSHA_RO",
	"EVAL_RO",
	"EXEC",
	"EXISTS",
	"EXPIRE",
	"EXPIREAT",
	"EXPIRETIME",
	"FAILOVER",
	"FCALL",
	"FCALL_RO",
	"FLUSHALL",
	"FLUSHDB",
	"FUNCTION",
	"GEOADD",
	"GEODIST",
	"GEOHASH",
	"GEOPOS",
	"GEORADIUS",
	"GEORADIUSBYMEMBER",
	"GEORADIUSBYMEMBER_RO",
	"GEORADIUS_RO",
	"GEOSEARCH",
	"GEOSEARCHSTORE",
	"GET",
	"GETBIT",
	"GETDEL",
	"GETEX",
	"GETRANGE",
	"GETSET",
	"HDEL",
	"HELLO",
	"HEXISTS",
	"HEXPIRE",
	"HEXPIREAT",
	"HEXPIRETIME",
	"HGET",
	"HGETALL",
	"HGETDEL",
	"HGETEX",
	"HINCRBY",
	"HINCRBYFLOAT",
	"HKEYS",
	"HLEN",
	"HMGET",
	"HMSET",
	"HPERSIST",
	"HPEXPIRE",
	"HPEXPIREAT",
	"HPEXPIRETIME",
	"HPTTL",
	"HRANDFIELD",
	"HSCAN",
	"HSET",
	"HSETEX",
	"HSETNX",
	"HSTRLEN",
	"HTTL",
	"HVALS",
	"INCR",
	"INCRBY",
	"INCRBYFLOAT",
	"INFO",
	"KEYS",
	"LASTSAVE",
	"LATENCY",
	"LCS",
	"LINDEX",
	"LINSERT",
	"LLEN",
	"LMOVE",
	"LMPOP",
	"LOLWUT",
	"LPOP",
	"LPOS",
	"LPUSH",
	"LPUSHX",
	"LRANGE",
	"LREM",
	"LSET",
	"LTRIM",
	"MEMORY",
	"MGET",
	"MIGRATE",
	"MODULE",
	"MONITOR",
	"MOVE",
	"MSET",
	"MSETEX",
	"MSETNX",
	"MULTI",
	"OBJECT",
	"PERSIST",
	"PEXPIRE",
	"PEXPIREAT",
	"PEXPIRETIME",
	"PFADD",
	"PFCOUNT",
	"PFDEBUG",
	"PFMERGE",
	"PFSELFTEST",
	"PING",
	"PSETEX",
	"PSUBSCRIBE",
	"PSYNC",
	"PTTL",
	"PUBLISH",
	"PUBSUB",
	"PUNSUBSCRIBE",
	"QUIT",
	"RANDOMKEY",
	"READONLY",
	"READWRITE",
	"RENAME",
	"RENAMENX",
	"REPLCONF",
	"REPLICAOF",
	"RESET",
	"RESTORE",
	"RESTORE-ASKING",
	"ROLE",
	"RPOP",
	"RPOPLPUSH",
	"RPUSH",
	"RPUSHX",
	"SADD",
	"SAVE",
	"SCAN",
	"SCARD",
	"SCRIPT",
	"SDIFF",
	"SDIFFSTORE",
	"SELECT",
	"SENTINEL",
	"SET",
	"SETBIT",
	"SETEX",
	"SETNX",
	"SETRANGE",
	"SHUTDOWN",
	"SINTER",
	"SINTERCARD",
	"SINTERSTORE",
	"SISMEMBER",
	"SLAVEOF",
	"SLOWLOG",
	"SMEMBERS",
	"SMISMEMBER",
	"SMOVE",
	"SORT",
	"SORT_RO",
	"SPOP",
	"SPUBLISH",
	"SRANDMEMBER",
	"SREM",
	"SSCAN",
	"SSUBSCRIBE",
	"STRLEN",
	"SUBSCRIBE",
	"SUBSTR",
	"SUNION",
	"SUNIONSTORE",
	"SUNSUBSCRIBE",
	"SWAPDB",
	"SYNC",
	"TIME",
	"TOUCH",
	"TTL",
	"TYPE",
	"UNLINK",
	"UNSUBSCRIBE",
	"UNWATCH",
	"WAIT",
	"WAITAOF",
	"WATCH",
	"XACK",
	"XACKDEL",
	"XADD",
	"XAUTOCLAIM",
	"XCLAIM",
	"XDEL",
	"XDELEX",
	"XGROUP",
	"XINFO",
	"XLEN",
	"XPENDING",
	"XRANGE",
	"XREAD",
	"XREADGROUP",
	"XREVRANGE",
	"XSETID",
	"XTRIM",
	"ZADD",
	"ZCARD",
	"ZCOUNT",
	"ZDIFF",
	"ZDIFFSTORE",
	"ZINCRBY",
	"ZINTER",
	"ZINTERCARD",
	"ZINTERSTORE",
	"ZLEXCOUNT",
	"ZMPOP",
	"ZMSCORE",
	"ZPOPMAX",
	"ZPOPMIN",
	"ZRANDMEMBER",
	"ZRANGE",
	"ZRANGEBYLEX",
	"ZRANGEBYSCORE",
	"ZRANGESTORE",
	"ZRANK",
	"ZREM",
	"ZREMRANGEBYLEX",
	"ZREMRANGEBYRANK",
	"ZREMRANGEBYSCORE",
	"ZREVRANGE",
	"ZREVRANGEBYLEX",
	"ZREVRANGEBYSCORE",
	"ZREVRANK",
	"ZSCAN",
	"ZSCORE",
	"ZUNION",
	"ZUNIONSTORE",
	"JSON.SET",
	"JSON.GET",
	"FT.SEARCH",
	"FT.CREATE",
	"BF.ADD",
	"BF.EXISTS",
	"TS.ADD",
	"TS.RANGE",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *rule_name(unsigned int rule)
{
	return rule < RULE_MAX ? rules[rule].name : NULL;
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
	unsigned int number = ev->key.detail & ~SYSCALL_32BIT;

	if (ev->key.vector != VECTOR_ACCESS) {
		snprintf(buf, size, "%s", vector_name(ev->key.vector));
		return;
	}
	for (size_t i = 0; !narrow && i < COUNT(syscalls); i++) {
		if (syscalls[i].number == number) {
			snprintf(buf, size, "%s", syscalls[i].name);
			return;
		}
	}
	snprintf(buf, size, "%s %u", narrow ? "32-bit syscall" : "syscall", number);
}

const char *saw_name(unsigned int saw)
{
	return saw < SAW_MAX ? saws[saw] : NULL;
}

const char *severity_name(enum severity s)
{
	return severities[s];
}

const char *proc_file_name(unsigned int file)
{
	return file < PROC_FILE_MAX ? proc_files[file].name : NULL;
}

unsigned int proc_file_rule(unsigned int file, int write)
{
	return write ? proc_files[file].write : proc_files[file].read;
}

unsigned int command_count(void)
{
	return COUNT(commands);
}

const char *command_name(unsigned int number)
{
	return number >= 1 && number <= COUNT(commands) ? commands[number - 1] : NULL;
}

static bool is_open(unsigned int vector)
{
	return vector >= VECTOR_OPEN && vector <= VECTOR_IO_URING_OPEN;
}

/* A password in the clear is worse than a key in the clear. */
static bool carries_password(unsigned int command)
{
	const char *name = command_name(command);

	return name && (!strcmp(name, "AUTH") || !strcmp(name, "HELLO"));
}

enum severity rule_severity(const struct event *ev)
{
	unsigned int rule = ev->key.rule < RULE_MAX ? ev->key.rule : RULE_NONE;
	enum severity s = rules[rule].severity ? rules[rule].severity : SEVERITY_INFO;

	if (is_open(ev->key.vector) && ev->key.detail < PROC_FILE_MAX &&
	    proc_files[ev->key.detail].name)
		s = proc_files[ev->key.detail].severity;
	if (ev->key.vector == VECTOR_ACCESS && rule == RULE_MEM_INSPECT)
		s = SEVERITY_LOW;
	if (rule == RULE_TLS_PLAINTEXT && carries_password(ev->conn.command))
		s = SEVERITY_CRITICAL;
	if (ev->key.err && s > SEVERITY_INFO)
		s--;
	return s;
}

void rule_detail(const struct event *ev, char *buf, size_t size)
{
	buf[0] = '\0';
	switch (ev->key.vector) {
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
	default:
		if (is_open(ev->key.vector) && proc_file_name(ev->key.detail))
			snprintf(buf, size, "%s", proc_file_name(ev->key.detail));
		return;
	}
}

const char *rule_outcome(const struct event *ev)
{
	if (ev->key.vector == VECTOR_SWEEP)
		return "unknown";
	if (!ev->key.err)
		return "succeeded";
	return ev->key.err == EPERM || ev->key.err == EACCES ? "denied" : "failed";
}
