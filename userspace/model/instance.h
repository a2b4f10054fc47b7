/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * instance.h - the protected servers as the collector knows them, fed by the kernel's lifecycle
 * events.
 * No I/O; an instance is never forgotten while the monitor runs, so a late alert still finds its
 * name.
 */
#ifndef CACHEWARDEN_INSTANCE_H
#define CACHEWARDEN_INSTANCE_H

#include "event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSTANCE_PORTS 8
#define INSTANCE_CGROUP 256

struct instance {
	uint32_t id;
	uint32_t pid; /* main process; a surviving child where that ended first (daemonize) */
	uint64_t start_ns;
	uint32_t members; /* processes alive */
	uint32_t heir;	  /* pid of the child forked last, 0 once it is gone */
	uint64_t heir_start_ns;
	uint32_t ports;
	uint16_t port[INSTANCE_PORTS]; /* listening, in the order they came */
	uint64_t reported_ns;	       /* when it was found or started, and */
	uint64_t listen_ns;	       /* when it was first heard to listen, 0: not yet */
	bool running;		       /* found while it ran: what it has is what it started with */
	bool baselined;		       /* its start is over */
	char comm[COMM_LEN];
	char name[COMM_LEN + 8]; /* "redis-server:6379" */
	uint32_t mnt_ns;	 /* inode number of its mount namespace */
	char exe[PATH_LEN];
	uint64_t cgroup_id;
	char cgroup[INSTANCE_CGROUP]; /* path below the cgroup2 root; who applies events fills it */
	char cwd[PATH_LEN];	      /* where it worked when it was found or started */
};

struct instances {
	struct instance **all;
	size_t count, room;
};

/* What an event changed. */
enum instance_change {
	INSTANCE_SAME,
	INSTANCE_STARTED,
	INSTANCE_AGAIN, /* it executed itself */
	INSTANCE_ENDED, /* its last process is gone */
	INSTANCE_LISTENS,
	INSTANCE_UNKNOWN, /* an event about an id whose start was never heard of */
};

void instances_free(struct instances *is);

/* Apply a lifecycle event. *ret is the instance concerned, NULL only when out of memory. */
enum instance_change instances_apply(struct instances *is, const struct event *ev,
				     struct instance **ret);

/*
 * Is the start of an instance over? It is when it was found running, INSTANCE_LOAD_NS after it first listened
 * (Redis 7.0 loads its modules then), and at the latest INSTANCE_START_NS after it began.
 */
#define INSTANCE_LOAD_NS 1000000000ull
#define INSTANCE_START_NS 10000000000ull
bool instance_started(const struct instance *in, uint64_t now_ns);

/* NULL if the id was never heard of. */
struct instance *instances_find(const struct instances *is, uint32_t id);

/* What the monitor itself is called where it is the target; it is never among the instances. */
void instance_self(struct instance *ret, uint32_t pid, const char *exe);

/* Instances with at least one process alive. */
size_t instances_alive(const struct instances *is);

/* Path of an executable of p, put together from its parts. Returns the length, 0 if there is none. */
size_t instance_exe_path(const struct process_info *p, const struct path_place *place, char *buf,
			 size_t size);

#endif
