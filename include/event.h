/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event.h - the records that BPF sends to the collector through the ring buffer, one fixed size for
 * all events.
 *
 * Compiled into BPF and into userspace. An event never carries bytes from a socket or from the
 * instance's memory: a command is a number from a table of names, and paths are those of
 * executables and files. The actor's arguments may hold a secret of its own: the collector redacts
 * them (userspace/model/cmdline.h) before anything keeps or prints the event.
 */
#ifndef CACHEWARDEN_EVENT_H
#define CACHEWARDEN_EVENT_H

#include <linux/types.h>

#define EVENT_MAGIC 0x57435731u /* "1WCW": begins every record */
#define EVENT_VERSION 2

enum event_type {
	EVENT_NONE,
	EVENT_INSTANCE, /* a server was found (sweep) or started (exec); actor is the server */
	EVENT_EXEC,	/* a member executed something else and left the instance */
	EVENT_FORK,	/* an instance forked: actor is the child */
	EVENT_EXIT,	/* a member ended: actor is the member */
	EVENT_LISTEN,	/* an instance listens: conn.local_* */
	EVENT_FILE,	/* an instance opened a regular file itself, see struct event_file */
	EVENT_ATTEMPT,	/* an action or a state that breaks a rule */
	EVENT_MAX,
};

/* Rule numbers are stable; names: userspace/model/rule.c. */
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
	RULE_TLS_BYPASS,
	RULE_MAX,
};

enum vector_id {
	VECTOR_NONE,
	VECTOR_PTRACE,
	VECTOR_PROCESS_VM_READV,
	VECTOR_PROCESS_VM_WRITEV,
	VECTOR_PIDFD_GETFD,
	VECTOR_OPEN, /* VECTOR_OPEN to VECTOR_IO_URING_OPEN are the opens */
	VECTOR_CREAT,
	VECTOR_OPENAT,
	VECTOR_OPENAT2,
	VECTOR_OPEN_BY_HANDLE_AT,
	VECTOR_IO_URING_OPEN,
	VECTOR_ACCESS,	/* seen at the access check, in the syscall of the key's detail */
	VECTOR_SYSCALL, /* seen at the end of the syscall of the key's detail */
	VECTOR_SIGNAL,	/* a signal, whose number is the key's detail */
	VECTOR_EXEC,
	VECTOR_CORE,   /* the kernel wrote a core dump */
	VECTOR_UPROBE, /* a uprobe planted by other means than perf_event_open */
	VECTOR_CGROUP, /* the monitor's cgroup changed in some way; the key's detail is enum cgroup_op */
	VECTOR_EGRESS,
	VECTOR_INGRESS,
	VECTOR_SWEEP,
	VECTOR_COLLECTOR,
	VECTOR_MAX,
};

/*
 * A key's detail for VECTOR_ACCESS and VECTOR_SYSCALL: the syscall's number, the operation
 * requested (an advice, a resource, a command), and whether the number is of the 32-bit table. The
 * operation of VECTOR_ACCESS is the file (enum file_kind) that was read or written, 0 if it is not
 * known; io_uring_enter then stands for requests of a ring, whoever runs them.
 */
#define SYSCALL_NUMBER_MASK 0xfffu
#define SYSCALL_OP_SHIFT 12
#define SYSCALL_OP_MASK 0xffffu
#define SYSCALL_32BIT 0x10000000u

/* The operation of perf_event_open. */
enum perf_op {
	PERF_OP_UNKNOWN, /* the call was refused: its attributes were not read */
	PERF_OP_COUNT,
	PERF_OP_SAMPLE,
	PERF_OP_SAMPLE_USER, /* with the registers or the stack of the interrupted program */
	PERF_OP_UPROBE,
};

/*
 * Set in a key's actor: it stands for all processes of a user, whose number it holds. Neither a time since boot nor,
 * without FINDING_ID_EARLY, a socket has such a number.
 */
#define ACTOR_CROWD (1ull << 62)
/* With it: of connections whose peers cannot be named, those of one group of addresses. */
#define ACTOR_PEERS (1ull << 32)

/* A key's detail for VECTOR_CGROUP. */
enum cgroup_op {
	CGROUP_OP_NONE,
	CGROUP_OP_MOVE, /* a process was moved to another cgroup */
	CGROUP_OP_FREEZE,
	CGROUP_OP_MAX,
};

#define INSTANCE_HOST 0 /* an attempt on the whole host, and so on every instance */
/* The monitor and its guard: protected like an instance, not shown as one. */
#define INSTANCE_SELF 0xffffffffu

/* What non-TLS bytes looked like. */
enum payload_kind {
	PAYLOAD_NOTHING,
	PAYLOAD_OTHER,	      /* not a TLS record, and nothing known */
	PAYLOAD_RESP_COMMAND, /* "*N\r\n$L\r\nNAME": a RESP array of bulk strings */
	PAYLOAD_RESP_REPLY,   /* "+", "-", ":", "$", ... followed by what RESP allows */
	PAYLOAD_INLINE,	      /* an inline command: a known command name, then space or line end */
	PAYLOAD_HTTP,	      /* a request */
	PAYLOAD_PRINTABLE,
	PAYLOAD_SSLV2_HELLO,
	PAYLOAD_DATA_RECORD,	 /* application data without a handshake that allows it */
	PAYLOAD_WRONG_RECORD,	 /* another record where TLS does not allow it */
	PAYLOAD_WRONG_HANDSHAKE, /* a handshake record that holds no handshake */
	PAYLOAD_HTTP_RESPONSE,
	PAYLOAD_MAX,
};

/* event.flags */
#define EVENT_FOUND_BY_SWEEP 0x0001 /* no hook reported it: state found by an iterator */
#define EVENT_ACTOR 0x0002	    /* actor is filled */
/* the first of many that are counted together: of the same user, or connections to one instance */
#define EVENT_CROWD 0x0004
#define EVENT_CONN 0x0008      /* conn is filled */
#define EVENT_UNCOUNTED 0x0010 /* the attempts table was full: later attempts are not added to it */
#define EVENT_CROSS_TENANT 0x0020 /* the actor belongs to another protected instance */
#define EVENT_MAIN 0x0040	  /* the process is the instance's main one, not a forked child */
#define EVENT_SEALED 0x0080	  /* what was swapped out is encrypted, or still in RAM */
#define EVENT_PREVENTED 0x0100 /* denied, or the actor was killed before it could use the result */
#define EVENT_IN_PROGRESS 0x0200 /* seen before its end: the outcome is unknown */
#define EVENT_SHARED 0x0400   /* a starting instance opened what it may share with the other one */
#define EVENT_TRANSFER 0x0800 /* transfer is filled */
#define EVENT_FOR_READING 0x1000 /* how the file was opened */
#define EVENT_FOR_WRITING 0x2000 /* or which way the bytes went */
#define EVENT_KILLED 0x4000	 /* the actor was killed, but bytes had been read or written */

#define COMM_LEN 16	  /* TASK_COMM_LEN */
#define LINEAGE_MAX 32	  /* ancestors searched for a session, where a process has session 0 */
#define ANCESTORS_MAX 8	  /* reaches session leader and supervisor on every host inspected */
#define PATH_PART_MAX 255 /* NAME_MAX */
#define PATH_ROOM 1024	  /* holds nine paths of usual length; power of two */
#define PATH_LEN (PATH_ROOM + PATH_PART_MAX + 1)

/* A path in process_info.path: its components, the last one first, each NUL-terminated. */
struct path_place {
	__u16 off;
	__u16 len;   /* 0: none: a kernel thread, or no room */
	__u16 flags; /* PATH_* */
	__u16 pad;
};

#define PATH_DELETED 0x0001 /* the file was unlinked */
#define PATH_CUT 0x0002	    /* only the last components are there */

/* process_info.flags */
#define PROCESS_KERNEL_THREAD 0x0001 /* it has no executable */

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
 * A process at the time of the event. pids are of the initial pid namespace unless said otherwise.
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
	__u32 session;	/* see session_fill in bpf/lib/event.bpf.h; 0: not determined */
	__u32 pid_ns;	/* inode number of its pid namespace */
	__u32 ns_pid;	/* its pid in that namespace */
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
 * Both ends of a TCP connection, local is the instance's. Addresses in network order, IPv4 mapped.
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
	__u8 protocol;	   /* tls-bypass: IPPROTO_* of the packet */
	__u32 segment;	   /* payload bytes of the offending segment */
	__u16 tls_version; /* tls-version, tls-cipher: what was negotiated */
	__u16 tls_cipher;
	__u32 pad2;
};

/*
 * What makes two attempts "the same": they are counted together. For wire rules `actor` is the
 * socket cookie and tgid, exec_id, detail, err, vector are 0: one entry per rule and connection, or
 * per crowd of them (ACTOR_CROWD), which is counted by connections.
 */
struct attempt_key {
	__u64 actor; /* start_ns of the acting process, or socket cookie, or FINDING_ID_EARLY and a number */
	__u32 instance;
	__u32 tgid;
	__u32 exec_id;
	__u32 detail; /* ptrace: request; open: enum file_kind; sweep: enum finding_kind; else see above */
	__s16 err; /* errno of the attempt, positive, 0 on success */
	__u8 rule;
	__u8 vector;
	__u32 object; /* inode of the file mapped, or of an instance's own file, lower half; else 0 */
};

struct attempt {
	__u64 count;	/* all attempts, the sent one included */
	__u64 first_ns; /* CLOCK_BOOTTIME */
	__u64 last_ns;
	__u64 bytes; /* wire rules: payload that was no TLS, both directions; else bytes transferred */
	__u32 sent;    /* the first event reached the ring buffer */
	__u32 account; /* of the user whose room it takes, see budget.bpf.h; 0: root's, or nobody's */
};

/* A file as the kernel knows it; on overlayfs and btrfs st_dev and st_ino may differ. */
struct file_key {
	__u64 ino;
	__u32 dev; /* kernel's dev_t of its file system */
	__u32 generation;
};

/* EVENT_FILE: the file opened; its path is event.object. */
struct event_file {
	struct file_key key;
	__u32 written;	/* it was opened for writing */
	__u32 kind;	/* enum file_kind, as far as it is known */
	__u32 uid, gid; /* in the initial user namespace */
	__u32 mode;	/* type and permissions */
	__u32 below;	/* key is that of the layer below an overlay's file */
	__u64 pad2[5];
};

#define ARGS_LEN 248 /* a debugger's or a shell's arguments; 256 with the two numbers */

/*
 * The actor's arguments: from the kernel each NUL-terminated, once redacted one line of text. len
 * is 0 if they were not readable, or the actor was not running on this CPU.
 */
struct event_args {
	__u32 len;   /* bytes of text used */
	__u32 total; /* bytes there were; more than len if they did not fit */
	char text[ARGS_LEN];
};

/*
 * How a BPF program can reach the memory of other processes. A higher value includes the lower
 * ones.
 */
enum prog_reach {
	REACH_NONE,
	REACH_INDIRECT, /* kernel memory, where all user pages are mapped; or by a format's "%pus" */
	REACH_USER,	/* a helper or kfunc for user memory */
};

/* mem-kernel by bpf(2) or a sweep: the program, if tag or name is set. */
struct event_prog {
	char name[16]; /* BPF_OBJ_NAME_LEN; the kernel admits letters, digits, '_' and '.' */
	__u8 tag[8];   /* BPF_TAG_SIZE: of its instructions */
	__u32 type;    /* enum bpf_prog_type */
	__u32 reach;   /* enum prog_reach */
	__u64 pad[6];
};

/* Bytes went to or from an instance's memory or file. */
struct event_transfer {
	__u64 bytes;
	__u64 pad[9];
};

/* EVENT_INSTANCE, _FORK, _EXEC, _EXIT: of the server */
struct event_server {
	__u32 account; /* the user that answers for it: see account_of() */
	__u32 pad[19];
};

struct event {
	__u32 magic;
	__u16 version;
	__u16 type; /* enum event_type */
	__u32 size; /* sizeof(struct event) */
	__u32 flags;
	__u64 time_ns; /* CLOCK_BOOTTIME */
	struct attempt_key key;
	__u64 count;	   /* of the attempt when the event was sent */
	__u32 target_tgid; /* the member of the instance that is the target */
	__u32 target_tid;
	__u32 other_instance; /* EVENT_CROSS_TENANT: the actor's instance */
	/* pidfd_getfd: the target's descriptor; swap: pages; start: mount namespace; sockmap: program */
	__u32 fd;
	/* path of the file mapped or opened, in actor.path; EVENT_INSTANCE: working directory */
	struct path_place object;
	union {
		struct conn_info conn;
		struct event_file file;
		struct event_prog prog;
		struct event_transfer transfer;
		struct event_server server;
	};
	struct process_info actor;
	struct event_args args;
};

/*
 * Files that break a rule when opened: those below /proc/PID that are subject to the access check,
 * by name; some of the host's; and what an instance keeps on disk.
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
	PROC_FILE_KCORE, /* up to HOST_KPROBE_EVENTS: about the host, not one process */
	PROC_FILE_CORE_PATTERN,
	HOST_UPROBE_EVENTS, /* below tracefs */
	HOST_DYNAMIC_EVENTS,
	HOST_KPROBE_EVENTS,
	PROC_FILE_FD_ENTRY, /* fd/N opened: the descriptor itself is taken */
	PROC_FILE_WALK,	    /* the path led through root, cwd, exe, fd or map_files */
	HOST_DEV_MEM,	    /* /dev/mem, /dev/kmem, /dev/port, /dev/snapshot, under any name */
	HOST_LD_SO_PRELOAD, /* /etc/ld.so.preload: loaded into every program started */
	HOST_CGROUP,	    /* a control file of a cgroup that holds the monitor or its guard */
	HOST_DISK,	    /* a block device that holds files of instances */
	FILE_DATA,	    /* from here on an instance's own files: RDB, AOF */
	FILE_CONFIG,
	FILE_ACL,
	FILE_KEY,    /* TLS private key */
	FILE_KEYLOG, /* session secrets, written to SSLKEYLOGFILE */
	FILE_CODE,   /* mapped executable; reading it breaks no rule */
	FILE_KIND_MAX,
};

/*
 * A key's detail for VECTOR_SWEEP, after the values of enum file_kind, which stand for a file held
 * open; mem-trace has 0 there, mem-kernel the BPF program's id. The FINDING_CODE_ values are also
 * the operation of mmap and mprotect (SYSCALL_OP_SHIFT).
 */
enum finding_kind {
	FINDING_SOCKET = FILE_KIND_MAX,
	FINDING_LISTENER,
	FINDING_PERF_EVENT,
	FINDING_UPROBES, /* breakpoints in its code, now or earlier */
	FINDING_MERGEABLE,
	FINDING_SWAPPED,
	FINDING_SHARED,
	FINDING_CODE_FILE,
	FINDING_CODE_ANONYMOUS,
	FINDING_CODE_WRITABLE,
	FINDING_EXPOSED_DATA, /* an instance's own file that others may read */
	FINDING_EXPOSED_CONFIG,
	FINDING_EXPOSED_ACL,
	FINDING_EXPOSED_KEY,
	FINDING_PRELOAD_FILE, /* /etc/ld.so.preload was not empty when the server started */
	FINDING_VM_READV,     /* a call that has not returned */
	FINDING_VM_WRITEV,
	FINDING_CODE_CHANGED,  /* in place: the server executes what was written */
	FINDING_CODE_OWNER,    /* whose file belongs to a user other than root */
	FINDING_CODE_MODE,     /* whose file other users than root may write */
	FINDING_CODE_PLACE,    /* whose file they may replace, in some directory above it */
	FINDING_CODE_REPLACED, /* by rename or a mount: the server executes the old file */
	FINDING_SOCKMAP,       /* a connection whose bytes BPF programs move without a packet */
	FINDING_FAMILY,	       /* a socket whose packets no hook sees: packet, vsock, XDP, ... */
	FINDING_ANSWERED,      /* its syscalls are handed to another process by a seccomp filter */
	FINDING_MAX,
};

/*
 * Environment variables that load foreign code into a server or write its secrets to a file; a
 * key's detail for VECTOR_EXEC.
 */
enum env_var {
	ENV_NONE, /* a member executed something that is not a server */
	ENV_LD_PRELOAD,
	ENV_LD_AUDIT,
	ENV_SSLKEYLOGFILE,
	ENV_LD_LIBRARY_PATH,
	ENV_OPENSSL_CONF,
	ENV_OPENSSL_MODULES,
	ENV_OPENSSL_ENGINES,
	ENV_MAX,
};

_Static_assert(EVENT_FOUND_BY_SWEEP + EVENT_ACTOR + EVENT_CROWD + EVENT_CONN + EVENT_UNCOUNTED +
			       EVENT_CROSS_TENANT + EVENT_MAIN + EVENT_SEALED + EVENT_PREVENTED +
			       EVENT_IN_PROGRESS + EVENT_SHARED + EVENT_TRANSFER +
			       EVENT_FOR_READING + EVENT_FOR_WRITING + EVENT_KILLED ==
		       0x7fff,
	       "each flag is a bit of its own");
_Static_assert(sizeof(struct ancestor_info) == 56, "ancestor_info is ABI");
_Static_assert(sizeof(struct process_info) == 96 + 8 * 56 + 1280, "process_info is ABI");
_Static_assert(sizeof(struct conn_info) == 80, "conn_info is ABI");
_Static_assert(sizeof(struct event_prog) == 80, "event_prog takes the place of conn_info");
_Static_assert(sizeof(struct event_file) == 80, "event_file takes the place of conn_info");
_Static_assert(sizeof(struct event_transfer) == 80, "event_transfer takes the place of conn_info");
_Static_assert(sizeof(struct event_server) == 80, "event_server takes the place of conn_info");
_Static_assert(sizeof(struct attempt_key) == 32, "attempt_key is a hash key: no hidden padding");
_Static_assert(sizeof(struct attempt) == 40, "attempt is ABI");
_Static_assert(__builtin_offsetof(struct event, key) == 24, "event header is ABI");
_Static_assert(sizeof(struct event_args) == 256, "event_args is ABI");
_Static_assert(sizeof(struct event) == 24 + 32 + 8 + 16 + 8 + 80 + 1824 + 256, "event is ABI");

#endif
