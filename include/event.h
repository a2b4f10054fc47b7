/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event.h - what the kernel side tells the collector: one fixed record per event.
 *
 * Compiled into BPF and into userspace. It never carries a byte that crossed a socket or lay in the
 * instance's memory: a command is a number looked up in a table of names, a path is the actor's
 * own.
 */
#ifndef CACHEWARDEN_EVENT_H
#define CACHEWARDEN_EVENT_H

#include <linux/types.h>

#define EVENT_MAGIC 0x57435731u /* "1WCW": a record that does not start with it is not ours */
#define EVENT_VERSION 1

enum event_type {
	EVENT_NONE,
	EVENT_INSTANCE, /* a protected server was found (sweep) or started (exec); actor is the server */
	EVENT_EXEC,    /* a member of an instance executed something else and left the family */
	EVENT_FORK,    /* an instance forked: actor is the child */
	EVENT_EXIT,    /* a member of an instance ended: actor is the member */
	EVENT_LISTEN,  /* an instance listens: conn.local_* */
	EVENT_FILE,    /* an instance opened a regular file itself, see struct event_file */
	EVENT_ATTEMPT, /* something a rule speaks of */
	EVENT_MAX,
};

/* Rule ids are stable; their names stand in userspace/model/rule.c. */
enum rule_id {
	RULE_NONE,
	RULE_MEM_TRACE,
	RULE_MEM_READ,
	RULE_MEM_WRITE,
	RULE_MEM_INSPECT,
	RULE_MEM_FD,
	RULE_MEM_REMOTE,
	RULE_MEM_PROBE,
	RULE_MEM_KERNEL,
	RULE_MEM_DUMP,
	RULE_MEM_INJECT,
	RULE_MEM_SPILL,
	RULE_REST_FILE,
	RULE_TLS_PLAINTEXT,
	RULE_TLS_VERSION,
	RULE_TLS_CIPHER,
	RULE_TLS_MIDSTREAM,
	RULE_TLS_WRITER,
	RULE_TLS_LISTENER,
	RULE_TLS_KEY,
	RULE_SELF_TAMPER,
	RULE_SELF_BLIND, /* raised by the collector, never by BPF */
	RULE_MAX,
};

enum vector_id {
	VECTOR_NONE,
	VECTOR_PTRACE,
	VECTOR_PROCESS_VM_READV,
	VECTOR_PROCESS_VM_WRITEV,
	VECTOR_PIDFD_GETFD,
	VECTOR_OPEN, /* to VECTOR_IO_URING_OPEN: opens, in a row */
	VECTOR_CREAT,
	VECTOR_OPENAT,
	VECTOR_OPENAT2,
	VECTOR_OPEN_BY_HANDLE_AT,
	VECTOR_IO_URING_OPEN,
	VECTOR_ACCESS, /* seen at the ptrace check, in the syscall whose number is in the key's detail */
	VECTOR_SYSCALL, /* seen at that syscall's own end */
	VECTOR_SIGNAL,	/* a signal was sent: its number is the key's detail */
	VECTOR_EXEC,
	VECTOR_CORE,   /* the kernel wrote a core dump */
	VECTOR_UPROBE, /* a breakpoint was planted by other means than perf_event_open */
	VECTOR_EGRESS,
	VECTOR_INGRESS,
	VECTOR_SWEEP,
	VECTOR_COLLECTOR,
	VECTOR_MAX,
};

/*
 * A key's detail for VECTOR_ACCESS and VECTOR_SYSCALL: the syscall's number, what it was asked for (an
 * advice, a resource, a command), and whether the number is of the 32-bit table.
 */
#define SYSCALL_NUMBER_MASK 0xfffu
#define SYSCALL_OP_SHIFT 12
#define SYSCALL_OP_MASK 0xffffu
#define SYSCALL_32BIT 0x10000000u

/* What perf_event_open was asked for. */
enum perf_op {
	PERF_OP_UNKNOWN, /* it was refused: not looked at */
	PERF_OP_COUNT,
	PERF_OP_SAMPLE,
	PERF_OP_SAMPLE_USER, /* with the registers or the stack of the interrupted program */
	PERF_OP_UPROBE,
};

#define INSTANCE_HOST 0 /* an attempt on the whole machine, and so on every instance */
#define INSTANCE_SELF                                                                              \
	0xffffffffu /* the monitor and its guard: protected like an instance, shown as none */

/* What non-TLS bytes looked like. */
enum payload_kind {
	PAYLOAD_NOTHING,
	PAYLOAD_OTHER,	      /* no TLS record, and nothing known */
	PAYLOAD_RESP_COMMAND, /* "*N\r\n$L\r\nNAME": a RESP array of bulk strings */
	PAYLOAD_RESP_REPLY,   /* "+", "-", ":", "$", ... followed by what RESP allows */
	PAYLOAD_INLINE,	      /* an inline command: a known command name, then space or line end */
	PAYLOAD_HTTP,
	PAYLOAD_PRINTABLE,
	PAYLOAD_SSLV2_HELLO,
	PAYLOAD_MAX,
};

/* event.flags */
#define EVENT_FOUND_BY_SWEEP 0x0001 /* no hook reported it: state found by an iterator */
#define EVENT_ACTOR 0x0002	    /* actor is filled and certain */
#define EVENT_CONN 0x0008	    /* conn is filled */
#define EVENT_UNCOUNTED 0x0010	    /* the attempts table was full: this one stands alone */
#define EVENT_CROSS_TENANT 0x0020   /* the actor belongs to another protected instance */
#define EVENT_MAIN 0x0040	 /* the process is the instance's first one, not a forked child */
#define EVENT_SEALED 0x0080	 /* what was swapped out is encrypted, or in RAM still */
#define EVENT_IN_PROGRESS 0x0200 /* seen before its end: the outcome is not known */
#define EVENT_PREVENTED 0x0100	 /* it was denied, or its actor killed before it could use it */

#define COMM_LEN 16	/* TASK_COMM_LEN */
#define LINEAGE_MAX 32	/* ancestors asked for a session when one's own has no leader */
#define ANCESTORS_MAX 8 /* session leader and supervisor are within 8 on every host we looked at */
#define PATH_PART_MAX 255 /* NAME_MAX */
#define PATH_ROOM 1024	  /* nine paths of usual length; power of two */
#define PATH_LEN (PATH_ROOM + PATH_PART_MAX + 1)

/* The path of an executable, in process_info.path: its parts, last first, each NUL-ended. */
struct path_place {
	__u16 off;
	__u16 len;   /* 0: none, a kernel thread or no room left */
	__u16 flags; /* PATH_* */
	__u16 pad;
};

#define PATH_DELETED 0x0001 /* the executable has no name any more */
#define PATH_CUT 0x0002	    /* only the last parts are there */

/* process_info.flags */
#define PROCESS_KERNEL_THREAD 0x0001 /* no mm: no executable */

struct ancestor_info {
	__u64 start_ns; /* since boot, CLOCK_BOOTTIME */
	__u64 exe_ino;
	__u32 exe_dev; /* kernel's dev_t: major << 20 | minor */
	__u32 pid;
	__u32 uid;
	__u32 pad;
	struct path_place exe;
	char comm[COMM_LEN];
};

/*
 * One process, as the kernel knew it at the moment of the event. pids are of the initial pid
 * namespace.
 */
struct process_info {
	__u64 start_ns; /* of the thread group leader, CLOCK_BOOTTIME */
	__u64 exe_ino;
	__u64 cgroup_id;
	__u32 exe_dev;
	__u32 exec_id; /* changes with every exec */
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__u32 euid;
	__u32 loginuid; /* 0xffffffff: not set */
	__u32 session; /* pid of its session's leader, which may have ended; of who stands for one; 0: not asked for */
	__u32 pid_ns; /* inode number of the pid namespace it lives in */
	__u32 ns_pid; /* its pid as seen in there */
	__u32 flags;
	__u32 ancestors;
	struct path_place exe;
	char comm[COMM_LEN];
	struct ancestor_info ancestor[ANCESTORS_MAX]; /* parent first */
	char path[PATH_LEN];
};

/* conn_info.opened */
enum conn_opened { OPENED_UNKNOWN, OPENED_INBOUND, OPENED_OUTBOUND };

/*
 * Both ends of a TCP connection, local = the instance's side. Addresses in network order, IPv4 as
 * v4-mapped.
 */
struct conn_ends {
	__u8 local_ip[16];
	__u8 remote_ip[16];
	__u16 local_port; /* host order */
	__u16 remote_port;
};

struct conn_info {
	__u64 cookie; /* kernel's socket cookie; 0: its data came before it had a socket of its own */
	__u64 offset; /* first offending byte, counted from the stream's first; valid if has_offset */
	__u64 records; /* TLS records seen before it in this direction */
	struct conn_ends ends;
	__u16 command; /* index into the command table, 0: none known */
	__u8 payload;  /* enum payload_kind */
	__u8 egress;   /* offending direction: 1 out of the instance, 0 into it */
	__u8 opened;   /* enum conn_opened */
	__u8 has_offset;
	__u8 ipv6;
	__u8 pad;
	__u32 segment;	   /* payload bytes of the offending segment */
	__u16 tls_version; /* tls-version, tls-cipher: what was settled */
	__u16 tls_cipher;
	__u32 pad2;
};

/*
 * What makes two attempts "the same": they are counted together. For wire rules `actor` is the
 * socket cookie and tgid, exec_id, detail, err, vector are 0: one entry per rule and connection.
 */
struct attempt_key {
	__u64 actor; /* start_ns of the acting process, or socket cookie, or FINDING_ID_EARLY and a number */
	__u32 instance;
	__u32 tgid;
	__u32 exec_id;
	__u32 detail; /* ptrace: request; open: enum file_kind; sweep: enum finding_kind; else 0 */
	__s16 err;    /* errno of the attempt, positive, 0 on success */
	__u8 rule;
	__u8 vector;
	__u32 object; /* inode of the file mapped, or of an instance's own file, lower half; else 0 */
};

struct attempt {
	__u64 count;	/* all attempts, the sent one included */
	__u64 first_ns; /* CLOCK_BOOTTIME */
	__u64 last_ns;
	__u64 bytes; /* wire rules: payload bytes that were no TLS, both directions */
	__u32 sent;  /* the first event reached the ring buffer */
	__u32 pad;
};

/* A file as the kernel knows it: st_dev and st_ino may tell otherwise (overlayfs, btrfs). */
struct file_key {
	__u64 ino;
	__u32 dev; /* kernel's dev_t of its file system */
	__u32 generation;
};

/* EVENT_FILE: what was opened; its path is event.object. */
struct event_file {
	struct file_key key;
	__u32 written; /* it was opened for writing */
	__u32 kind;    /* enum file_kind: what it is held to be already */
	__u64 pad[7];
};

struct event {
	__u32 magic;
	__u16 version;
	__u16 type; /* enum event_type */
	__u32 size; /* sizeof(struct event) */
	__u32 flags;
	__u64 time_ns; /* CLOCK_BOOTTIME */
	struct attempt_key key;
	__u64 count;	   /* of the attempt entry when this was sent */
	__u32 target_tgid; /* the member of the instance that was hit */
	__u32 target_tid;
	__u32 other_instance; /* EVENT_CROSS_TENANT: the actor's instance */
	__u32 fd; /* pidfd_getfd: the target's descriptor number; swapped out: pages; start: mount namespace */
	/* path of the file mapped or opened, in actor.path; EVENT_INSTANCE: of where it works */
	struct path_place object;
	union {
		struct conn_info conn;
		struct event_file file;
	};
	struct process_info actor;
};

/*
 * Files whose opening breaks a rule: below /proc/PID those that pass or try the ptrace check, by their own
 * name; some of the host's; and what an instance keeps on disk.
 */
enum file_kind {
	PROC_FILE_NONE,
	PROC_FILE_MEM,
	PROC_FILE_MAPS,
	PROC_FILE_SMAPS,
	PROC_FILE_SMAPS_ROLLUP,
	PROC_FILE_NUMA_MAPS,
	PROC_FILE_PAGEMAP,
	PROC_FILE_CLEAR_REFS,
	PROC_FILE_ENVIRON,
	PROC_FILE_AUXV,
	PROC_FILE_STACK,
	PROC_FILE_SYSCALL,
	PROC_FILE_PERSONALITY,
	PROC_FILE_IO,
	PROC_FILE_MAP_FILES,
	PROC_FILE_FD,	  /* the directory */
	PROC_FILE_FDINFO, /* directory or a file in it */
	PROC_FILE_COREDUMP_FILTER,
	PROC_FILE_KCORE, /* from here to HOST_KPROBE_EVENTS: of no process, but of all */
	PROC_FILE_CORE_PATTERN,
	HOST_UPROBE_EVENTS, /* below tracefs */
	HOST_DYNAMIC_EVENTS,
	HOST_KPROBE_EVENTS,
	PROC_FILE_FD_ENTRY, /* fd/N opened: the descriptor itself is taken */
	PROC_FILE_WALK,	    /* a path that led through root, cwd, exe, fd or map_files */
	HOST_DEV_MEM,	    /* /dev/mem, /dev/kmem, /dev/port, by whatever name */
	HOST_LD_SO_PRELOAD, /* /etc/ld.so.preload: what it names is in every program started */
	FILE_DATA,	    /* from here on: an instance's own files. RDB, AOF */
	FILE_CONFIG,
	FILE_ACL,
	FILE_KEY,    /* TLS private key */
	FILE_KEYLOG, /* session secrets, as SSLKEYLOGFILE names it */
	FILE_KIND_MAX,
};

/*
 * What a sweep found, behind the files below /proc/PID (those that are held open): a key's detail for
 * VECTOR_SWEEP. mem-trace has 0 there, mem-kernel the program's id. What became executable is told by the
 * same numbers where a hook saw it (SYSCALL_OP_SHIFT).
 */
enum finding_kind {
	FINDING_SOCKET = FILE_KIND_MAX,
	FINDING_LISTENER,
	FINDING_PERF_EVENT,
	FINDING_UPROBES, /* there are breakpoints in its code, or were */
	FINDING_MERGEABLE,
	FINDING_SWAPPED,
	FINDING_SHARED,
	FINDING_CODE_FILE,
	FINDING_CODE_ANONYMOUS,
	FINDING_CODE_WRITABLE,
	FINDING_EXPOSED_DATA, /* an instance's own file others than its owner may read */
	FINDING_EXPOSED_CONFIG,
	FINDING_EXPOSED_ACL,
	FINDING_EXPOSED_KEY,
	FINDING_PRELOAD_FILE, /* /etc/ld.so.preload was not empty when it started */
	FINDING_VM_READV,     /* a call that has not returned */
	FINDING_VM_WRITEV,
	FINDING_MAX,
};

/* Variables that put strangers' code into a server, or its secrets into a file; a key's detail for VECTOR_EXEC. */
enum env_var {
	ENV_NONE, /* VECTOR_EXEC: a member executed what is no server */
	ENV_LD_PRELOAD,
	ENV_LD_AUDIT,
	ENV_SSLKEYLOGFILE,
	ENV_MAX,
};

_Static_assert(sizeof(struct ancestor_info) == 56, "ancestor_info is ABI");
_Static_assert(sizeof(struct process_info) == 96 + 8 * 56 + 1280, "process_info is ABI");
_Static_assert(sizeof(struct conn_info) == 80, "conn_info is ABI");
_Static_assert(sizeof(struct event_file) == 80, "event_file stands in conn_info's place");
_Static_assert(sizeof(struct attempt_key) == 32, "attempt_key is a hash key: no hidden padding");
_Static_assert(sizeof(struct attempt) == 40, "attempt is ABI");
_Static_assert(__builtin_offsetof(struct event, key) == 24, "event header is ABI");
_Static_assert(sizeof(struct event) == 24 + 32 + 8 + 16 + 8 + 80 + 1824, "event is ABI");

#endif
