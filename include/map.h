/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * map.h - keys, values and sizes of the maps that both sides use, except the events themselves
 * (event.h) and the TLS stream state (tls/stream.h).
 */
#ifndef CACHEWARDEN_MAP_H
#define CACHEWARDEN_MAP_H

#include <linux/types.h>

#include "event.h"
#include "tls/stream.h"

#define RING_BYTES (4 * 1024 * 1024) /* about 2,000 events of 2 KiB */
#define PROCS_MAX 8192		     /* the loader sets as many as the kernel can have processes */
#define ATTEMPTS_MAX 16384  /* (rule, vector, actor, instance) alive within the last seconds */
#define EARLY_MAX 4096	    /* connections whose first data came with the handshake's last ACK */
#define BYSTANDERS_MAX 4096 /* (socket, process) pairs: it was found not to hold the socket */
#define NAMES_MAX 64
#define EXE_NAMES_MAX 512
#define MAPPED_MAX 65536   /* executable files mapped by instances that run */
#define REPORTED_MAX 16384 /* (actor, instance, what) that a hook reported */
#define EVALUATED_MAX 4096 /* BPF programs of others */
#define USER_HELPERS_MAX 64
#define OWN_OBJECTS_MAX 1024 /* the monitor's maps, programs and links */
#define OWN_CGROUPS_MAX 1024 /* cgroups that hold the monitor or its guard */
#define COMMANDS_MAX 1024
#define MEM_CALLS_MAX 1024 /* threads that read or write mem at this moment */
#define PIPES_MAX 8192	   /* pipes that instances made and that somebody still holds */
#define DISKS_MAX 256	   /* block devices that hold files of instances */
#define FILES_MAX 16384	   /* regular files that instances opened and that still exist */
#define MEMBER_SLOTS 8192  /* power of two */
#define FILE_WORDS 1024	   /* power of two */

/* procs: tgid (initial pid namespace) -> the instance it belongs to */
#define MEMBER_THIS 2 /* another monitor is a member of INSTANCE_SELF, too */

struct member {
	__u32 instance;
	__u32 main; /* not 0: first process of the instance, or one that outlived it; MEMBER_THIS: this monitor */
	__u32 told; /* the event of its start was sent */
};

/*
 * member_slots, file_bits: which tgids procs, and which inode numbers files may have. Nearly all processes and files of
 * a host are in neither table; one load tells, where a hash table takes some hundred instructions. A slot counts the
 * members with these low bits of their tgid. A bit stays set: what has been a server's file may be looked up for good.
 */
static inline __u32 member_slot(__u32 tgid)
{
	return tgid & (MEMBER_SLOTS - 1);
}

static inline __u32 file_word(__u64 ino)
{
	return ino >> 6 & (FILE_WORDS - 1);
}

static inline __u64 file_bit(__u64 ino)
{
	return 1ull << (ino & 63);
}

/* What all users share, and each may take a part of: room in the ring buffer and in the attempts table. */
enum budget {
	BUDGET_ATTEMPTS, /* new entries of the attempts table; beyond it they are counted together */
	BUDGET_SERVERS,	 /* events of servers that start, fork and end */
	BUDGET_FILES,	 /* files that servers open */
	BUDGET_CONNS,	 /* connections with findings, by their client */
	BUDGET_PEERS,	 /* the same of peers that have no name, by who answers for the server */
	BUDGET_KEPT, /* from here on not what is done in a period, but what there is at a time */
	BUDGET_CODE = BUDGET_KEPT, /* entries of mapped */
	BUDGET_PIPES,		   /* entries of own_pipes */
	BUDGET_MAX,
};

/*
 * A quarter of the ring buffer for each, in ten seconds: so long is an entry of the attempts table kept after its last use.
 * A server opens some 30 files when it starts, and a host starts dozens at once: files have a larger share, which ends
 * when a quarter of the ring buffer is unread.
 */
#define SHARE 512
#define SHARE_FILES 2048
#define SHARE_BUSY 64	 /* of files, while a quarter of the ring buffer is unread */
#define SHARE_ROOT 8192	 /* root runs what looks at everything */
#define SHARE_PEERS 2048 /* of which each instance of that user may have one share */
#define SHARE_CODE 4096	 /* of mapped: a hundred servers */
#define SHARE_CODE_ROOT 32768
#define SHARE_PIPES 512
#define SHARE_PIPES_ROOT 4096
#define SHARE_NS 10000000000ull
#define SHARE_FILES_NS 1000000000ull

static inline __u64 share_period(__u32 what)
{
	if (what >= BUDGET_KEPT)
		return ~0ull;
	return what == BUDGET_FILES ? SHARE_FILES_NS : SHARE_NS;
}

#define PEER_GROUPS 16

/* In which of the groups, whose connections are counted together, the other end is. Of IPv6, the part that a provider assigns. */
static inline __u32 peer_group(const struct conn_ends *ends)
{
	const __u32 *ip = (const __u32 *)ends->remote_ip;
	__u32 hash = ip[0] || ip[1] ? ip[0] ^ ip[1] : ip[3];

	return (hash * 0x9e3779b1u >> 16) % PEER_GROUPS;
}

#define SHARES_MAX 16384 /* users that did any of this lately; see account_of() */
#define ACCOUNT_OTHERS                                                                             \
	0xffffffffu /* all users for whom there is no entry; no user has this number */

/* shares: what a user takes of something */
struct share_key {
	__u32 account; /* uid in the initial user namespace */
	__u32 what;    /* enum budget */
};

struct share {
	__u64 since_ns; /* CLOCK_BOOTTIME: when used began */
	__u64 total;	/* in all */
	__u64 over;	/* times that it was too much, in all */
	/* the process that first took too much */
	__u64 start_ns;
	__u32 tgid; /* 0: none */
	__u32 used;
	char comm[COMM_LEN];
};

/*
 * hoarders: users with more than HOARD entries in the attempts table -> how many, as the collector counts them; never root.
 * Beyond HOARD_MOST no instance is told apart, whoever runs it: two users together could fill the table.
 */
#define HOARDERS_MAX 1024
#define HOARD 2048
#define HOARD_MOST (2 * HOARD)

/*
 * servers: instance -> the file it executes, which identifies it whatever it is called, and whose it is. The entry lasts
 * as long as a process of the instance does.
 */
struct server {
	__u64 exe_ino;
	__u32 exe_dev; /* kernel's dev_t */
	__u32 live;    /* processes in procs */
	__u32 account; /* the user that answers for it: see account_of() */
	/* its share of connections whose peers cannot be named */
	__u32 peers;
	__u64 peers_since_ns;
};

/* A thread of an instance. */
struct pid_owner {
	__u32 instance;
	__u32 tgid; /* initial pid namespace */
	__u32 tid;
	__u32 pad;
};

/*
 * prevent_rules: instance -> mask of rules to prevent (1u << rule). The entry of INSTANCE_HOST is
 * for every instance without an entry of its own, the monitor included.
 */
_Static_assert(RULE_MAX <= 32, "a rule is a bit of prevent_rules");

/* known_tags: the tag of a BPF program's instructions -> who has programs with it */
enum tag_owner {
	TAG_MONITOR = 1, /* the monitor, and another one of the same version */
	TAG_HARMLESS,	 /* anybody: it cannot read what it asks for */
};

/*
 * What register_self is told, since the monitor may have left the mount namespace it was started
 * in. 0: unknown.
 */
struct self_start {
	__u32 mnt_ns;	   /* inode number */
	__u32 init_mnt_ns; /* that of pid 1 */
};

/* candidates: what userspace knows of a process that runs already */
enum candidate {
	CANDIDATE_NONE,
	CANDIDATE_SERVER,      /* is a server, whatever its executable is called */
	CANDIDATE_MONITOR,     /* runs the same code as this monitor */
	CANDIDATE_PREDECESSOR, /* the monitor that this one takes over from, its guard and its sinks */
};

/*
 * turns: when each monitor of a chain begins to report, as each takes over from the one before (bpf/lib/turn.bpf.h).
 * CLOCK_BOOTTIME, 0: not yet. A monitor reports until the next one does.
 */
#define TURNS 16 /* of monitors further back nothing runs any more; power of two */
#define TURN_FIRST 1
#define TURN_NEAR_NS                                                                               \
	200000000ull	    /* much longer than one program waits for another at the same hook */
#define TURN_SEEN_MAX 16384 /* actions that one of the two has seen and the other has not yet */

struct turns {
	__u64 from[TURNS];
	__u32 successor; /* tgid of the process that is started to take over, 0: none */
	__u32 pad;
};

struct turn_key {
	__u64 who;
	__u64 what;
};

struct turn_seen {
	__u64 ns; /* CLOCK_BOOTTIME */
	__u32 by; /* 1 + that monitor's place in the chain; 0: the other one has seen it, too */
	__u32 pad;
};

/* What a run of the iterator over tasks looks for, see bpf/process.bpf.c */
enum find_pass { FIND_MONITORS, FIND_SERVERS, FIND_CHILDREN };

/* own_objects: the monitor's BPF objects; each kind has its own ids */
enum own_kind { OWN_NONE, OWN_MAP, OWN_PROG, OWN_LINK };

struct own_key {
	__u32 kind;
	__u32 id;
};

/* own_cgroups: a cgroup of any hierarchy; each has its own ids */
struct cgroup_key {
	__u64 id;
	__u32 hierarchy;
	__u32 pad;
};

/* exe_names: last path component of a protected server's executable */
#define EXE_KEY_LEN 32

#define EXE_KEY_BITS (8 * EXE_KEY_LEN)

struct exe_key {
	__u32 bits; /* of name that count: all of it when looked up */
	char name[EXE_KEY_LEN];
};

/* name_bits: the first two characters of such a name, the end of a short one included */
#define NAME_WORDS 1024

static inline __u32 name_word(__u16 start)
{
	return start >> 6;
}

static inline __u64 name_bit(__u16 start)
{
	return 1ull << (start & 63);
}

/* own_pipes */
struct own_pipe {
	struct pid_owner by;
	__u64 seen_ns; /* CLOCK_BOOTTIME: when it was made, or a sweep last found it */
	__u32 account; /* that it is charged to */
	__u32 pad;
};

/* mapped: a file that an instance executes or maps executable */
struct mapped_key {
	__u64 ino;
	__u32 dev; /* kernel's dev_t of the file's own file system */
	__u32 instance;
};

/*
 * reported: what hooks reported of a process, so that a sweep that finds the same does not report it
 * again. The entry outlives the attempt, which is removed after some quiet seconds.
 */
struct reported_key {
	__u64 actor; /* start_ns, 0: any */
	__u32 instance;
	__u32 tgid;
	__u32 what; /* rule << 16 | file kind or finding kind */
	__u32 pad;
};

/* proc_files: name of a file below /proc/PID -> the rules that opening it breaks */
#define PROC_KEY_LEN 16

struct proc_key {
	char name[PROC_KEY_LEN];
};

struct proc_rule {
	__u8 file; /* enum file_kind */
	__u8 read; /* enum rule_id broken by opening for reading, RULE_NONE: none */
	__u8 write;
	__u8 host; /* in /proc or tracefs itself, not below /proc/PID */
};

/* files: a file an instance opened itself -> the instance, and its kind (0: nothing to protect) */
struct file_owner {
	__u32 instance;
	__u32 kind; /* enum file_kind, FILE_* */
};

/*
 * commands: a Redis command in upper case, NUL padded -> its number. The name never leaves the
 * kernel.
 */
#define COMMAND_LEN 24
#define COMMAND_SECRET 0x8000 /* flag in the number: its arguments may hold a credential */

struct command_key {
	char name[COMMAND_LEN];
};

/* lost: attempts that are in no count and no event */
struct lost_key {
	__u32 instance;
	__u32 rule;
};

/* Seen from its first byte: marked when created, or accepted by a marked listener. */
#define SOCK_FRESH 0x01
#define SOCK_LISTENER 0x02 /* it listens; a socket that inherited this bit was accepted */
#define SOCK_MPTCP 0x04	   /* a subflow: it carries part of a stream */
#define SOCK_OTHER 0x08	   /* UDP, raw, SCTP: any packet of it is a finding */
#define SOCK_SOCKMAP 0x10  /* reported as being in a sockmap */

/* How long a direction was out of sync, and how many bytes passed unread, in holes too. */
struct unsynced {
	__u64 since_ns; /* CLOCK_BOOTTIME, 0: it is in sync */
	__u32 ms;	/* of earlier times, each rounded up */
	__u32 bytes;	/* saturating */
};

/* Mark and stream state of a protected socket, in one value so that a packet costs one lookup. */
struct sock_mark {
	__u32 instance;
	__u32 flags;
	__u32 writer; /* tgid of the last writer, if it was a member */
	__u32 pad;
	__u64 finding_id; /* key of the connection's findings; 0: the socket's cookie; see struct early */
	struct unsynced unsynced[2]; /* ingress, egress */
	struct tls_stream in;
	struct tls_stream out;
};

/*
 * early_streams: the first data of a connection, if it came with the last ACK of the TCP handshake.
 * It is filtered on the listener; the connection's own socket takes the stream over later, and its
 * findings keep the same id.
 */
#define FINDING_ID_EARLY (1ull << 63) /* no socket has such a cookie */

struct early_key {
	struct conn_ends ends;
	__u32 instance; /* two network namespaces may have the same ends */
};

struct early {
	struct tls_stream stream;
	__u64 finding_id;
	__u32 seq;	     /* of its first byte, to recognize a retransmission */
	__u32 half_open : 1; /* the kernel has a request for it: no SYN cookie */
	__u32 unread : 31;   /* bytes, counted once there is a connection */
};

/* counters: per CPU */
enum counter_id {
	COUNTER_SENT,		  /* events that reached the ring buffer */
	COUNTER_RING_FULL,	  /* events that did not; their attempt is still counted */
	COUNTER_LOST,		  /* attempts in no count and no event, sum over `lost` */
	COUNTER_ATTEMPTS_FULL,	  /* attempts table had no room */
	COUNTER_PROCS_FULL,	  /* members and threads that could not be entered: unprotected */
	COUNTER_MARK_FAILED,	  /* sockets that could not be marked: their bytes are unseen */
	COUNTER_CONTENDED,	  /* segments skipped: another CPU had the stream */
	COUNTER_STREAMS_UNSYNCED, /* times a stream began or fell out of sync */
	COUNTER_STREAMS_RESYNCED,
	COUNTER_BYTES_UNSYNCED,	    /* payload bytes passed while out of sync */
	COUNTER_BYSTANDERS,	    /* egress while a process ran that does not hold the socket */
	COUNTER_CHECK_LOST,	    /* results of the access check lost before the open's end */
	COUNTER_SOCKETS_LATE,	    /* sockets of instances that a sweep found unmarked */
	COUNTER_FILES_FULL,	    /* own files of instances that could not be entered */
	COUNTER_UNREAD,		    /* segments in which no TCP header was found */
	COUNTER_SUBFLOWS_UNSEEN,    /* MPTCP connections with subflows that are not seen */
	COUNTER_CHUNKS_LOST,	    /* handshakes whose server part was not sent whole */
	COUNTER_URING_OPENS_UNSEEN, /* opens through io_uring that asked for no completion */
	COUNTER_UNREPORTED,	    /* starts, forks and ends of servers beyond a user's share */
	COUNTER_CODE_FULL,	    /* executable files that found no room in mapped */
	COUNTER_PIPES_FULL,	    /* pipes that found none in own_pipes */
	COUNTER_ENDS_LOST,	    /* ends of connections that did not reach the ring buffer */
	COUNTER_MAX,
};

/*
 * Over loopback the two directions run on two CPUs. The kernel places an 8-byte pointer before the
 * value, and both at the start of a cache line: the mark, which is only read, shares the pointer's
 * line, and each stream has a line of its own.
 */
_Static_assert(__builtin_offsetof(struct sock_mark, in) == 64 - 8, "a cache line of its own");
_Static_assert(__builtin_offsetof(struct sock_mark, out) == 128 - 8, "a cache line of its own");
_Static_assert(sizeof(struct server) == 32, "server is a map's value: no hidden padding");
_Static_assert(sizeof(struct share) == 56, "share is a map's value: no hidden padding");
_Static_assert(sizeof(struct early_key) == 40, "a map's key: no hidden padding");
_Static_assert(sizeof(struct early) == 80, "early is a map's value: no hidden padding");
_Static_assert(sizeof(struct sock_mark) <= 256, "128 bytes for each direction");

#endif
