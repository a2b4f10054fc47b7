/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * instance.h - the protected servers, from the kernel side's lifecycle events. No I/O. Instances are kept when they
 * end, so that a late alert still finds its name.
 */
#ifndef CACHEWARDEN_INSTANCE_H
#define CACHEWARDEN_INSTANCE_H

#include "model/crowd.h"

#include "event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSTANCE_PORTS 8
#define INSTANCE_CGROUP 256
#define INSTANCE_PLACE 128 /* a unit's name; longer ones are cut */
#define INSTANCE_CALLED 32 /* a longer file name is cut */
#define INSTANCE_NAME (INSTANCE_CALLED + 8 + INSTANCE_PLACE + 12)
#define INSTANCE_UID (INSTANCE_NAME + 40) /* and a boot id */

struct instance {
	uint32_t id;
	uint32_t pid; /* main process, or the child that survived it (daemonize) */
	uint64_t start_ns;
	uint32_t members;    /* live processes */
	uint32_t last_child; /* pid of the child forked last, 0: it exited */
	uint64_t last_child_start_ns;
	uint32_t ports;
	uint16_t port[INSTANCE_PORTS]; /* listening, in the order they were opened */
	uint8_t ip[INSTANCE_PORTS]
		  [16];	    /* each one's address, the first if it has several; IPv4 mapped */
	uint64_t began_ns;  /* when it was found, or started */
	uint64_t listen_ns; /* when it first listened, 0: not yet */
	bool tls;	    /* a client finished a handshake, or its configuration has a TLS port */
	uint32_t plain;	    /* 1 << index of a port on which it answered in plaintext */
	uint32_t secure;    /* 1 << index of a port on which a client finished a handshake */
	uint64_t plaintext_bytes;      /* that were found on its sockets */
	uint64_t exposed;	       /* alert of the first credential seen in plaintext */
	struct crowd_share handshakes; /* that broke a rule */
	bool found_running;	       /* by a sweep: everything mapped then counts as its start */
	uint64_t swept_ns;	       /* when it was last swept; 0: not yet */
	bool gone;		       /* the kernel side did not know it at the last sweep */
	bool described;		       /* the evidence log has what its configuration was */
	bool baselined;		       /* its start is over, and what it had mapped is recorded */
	uint64_t exe_ino;	       /* of its executable, as the kernel knows it */
	uint32_t exe_dev;
	uint32_t user;	  /* its real uid at its start */
	uint32_t account; /* the user that answers for it: who made its user namespace, or `user` */
	char comm[COMM_LEN];
	/* comm, or the executable's file name if comm is the first 15 bytes of it */
	char called[INSTANCE_CALLED];
	/* where it runs: pod, container or unit; "host" if it is in none; see instances_place() */
	char place[INSTANCE_PLACE];
	/* "redis-server:6379"; "redis-server:6379@PLACE" once another running instance was called the same */
	char name[INSTANCE_NAME];
	/*
	 * identifies it on this host until the next boot, even if it is restarted: "redis-server:6379@PLACE/BOOT"; without
	 * a port until it listens
	 */
	char uid[INSTANCE_UID];
	bool ambiguous; /* there was one: the name includes the place */
	/* distinguishes it from another one in the same place; 0: there is none */
	unsigned int number;
	uint32_t mnt_ns; /* inode number of its mount namespace */
	char exe[PATH_LEN];
	/* another name of that file, by which it was started; or empty */
	char started_as[PATH_LEN];
	uint64_t cgroup_id;
	/* path relative to the cgroup2 root; filled in by the caller */
	char cgroup[INSTANCE_CGROUP];
	char cwd[PATH_LEN]; /* working directory when it was found or started */
};

struct instances {
	struct instance **all;
	size_t count, room;
	const char *boot; /* id of this boot of the host, kept by the caller; NULL: unknown */
	size_t ended;	  /* instances dropped from all */
};

/* What an event changed. */
enum instance_change {
	INSTANCE_SAME,
	INSTANCE_STARTED,
	INSTANCE_REEXECUTED,
	INSTANCE_ENDED, /* its last process exited */
	INSTANCE_LISTENS,
	INSTANCE_UNKNOWN, /* the start of that id was missed */
};

void instances_free(struct instances *is);

/* Apply a lifecycle event. *ret is its instance, NULL if memory ran out. */
enum instance_change instances_apply(struct instances *is, const struct event *ev,
				     struct instance **ret);

/*
 * Is the start of an instance over? At once if it was found running; else INSTANCE_LOAD_NS after it first listened
 * (Redis 7.0 loads its modules after that), at the latest INSTANCE_START_NS after it began.
 */
#define INSTANCE_LOAD_NS 1000000000ull
#define INSTANCE_START_NS 10000000000ull
bool instance_started(const struct instance *in, uint64_t now_ns);

/* Set where an instance runs, which the caller has from its cgroup, and name it. */
void instances_place(struct instances *is, struct instance *in, const char *place);

/*
 * Number those that share place, name and port anew, when all that ran before the monitor have been found: the order in
 * which they were says nothing. `known` returns the number that an earlier monitor gave, or a negative value; the others
 * get theirs in the order in which they started.
 */
typedef int (*instance_number_fn)(const void *ctx, const struct instance *in);
void instances_number(struct instances *is, instance_number_fn known, const void *ctx);

/*
 * Drop the oldest ended instances beyond INSTANCES_ENDED_MAX: anybody can start any number of processes that are taken
 * for servers.
 */
#define INSTANCES_ENDED_MAX 1024
void instances_trim(struct instances *is);

/* NULL if there is none. */
struct instance *instances_find(const struct instances *is, uint32_t id);

/* Its executable for people: "/usr/bin/redis-server (/usr/bin/redis-check-rdb)". */
void instance_program(const struct instance *in, char *buf, size_t size);

/* The monitor itself, as the target of self-tamper. It is not one of the instances. */
void instance_self(struct instance *ret, uint32_t pid, const char *exe);

/* Does it listen on that port? Did it answer in plaintext there? */
bool instance_listens(const struct instance *in, uint16_t port);
bool instance_serves_plain(const struct instance *in, uint16_t port);
void instance_set_serves_plain(struct instance *in, uint16_t port);
void instance_set_serves_tls(struct instance *in, uint16_t port);

/* The number of instances with a live process. */
size_t instances_alive(const struct instances *is);

/* Join the parts of a path in p, which the kernel side writes last part first. Returns the length, 0: no path. */
size_t instance_exe_path(const struct process_info *p, const struct path_place *place, char *buf,
			 size_t size);

#endif
