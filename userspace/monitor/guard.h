/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.h - a process that reports the monitor's death, which a killed process cannot do. The monitor forks it. It shares
 * the monitor's BPF maps and ring buffer, and stays silent as long as the monitor makes progress. The monitor checks the
 * guard's progress in turn.
 *
 * The guard leaves the monitor's session, and moves to the root of the cgroup hierarchy, which can be neither frozen nor
 * killed: no single write stops both.
 */
#ifndef CACHEWARDEN_GUARD_H
#define CACHEWARDEN_GUARD_H

#include "report/sinks.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum guard_event {
	GUARD_MONITOR_STOPPED, /* by SIGSTOP or a tracer: it is alive, but monitors nothing */
	GUARD_MONITOR_STALLED, /* it makes no progress for another reason: frozen, or starved of CPU time */
	GUARD_MONITOR_DIED, /* without stopping the guard first; the guard exits after this */
};

typedef void (*guard_fn)(void *ctx, enum guard_event event);

/* What a monitor that can no longer speak was doing. Times are CLOCK_BOOTTIME. */
#define LAST_SEEN_LEN 512
struct last_seen {
	uint64_t alive_ns;
	uint64_t event_ns; /* 0: there was none */
	char event[LAST_SEEN_LEN];
};

/* Written by the monitor, read by the guard when the monitor can no longer speak. */
struct guard_shared {
	struct sink_status sink[SINKS_MAX];
	struct last_seen last;
	uint64_t beat;	     /* changes at least once a second while the monitor makes progress */
	uint64_t guard_beat; /* the guard's own */
	uint32_t
		leaving; /* the monitor hands over: it ends, and may wait for a slow reader or disk */
};

struct guard {
	pid_t pid; /* 0: none */
	int monitor_fd;
	int cgroup_fd;		     /* root of the cgroup2 hierarchy, where the guard moves to */
	struct guard_shared *shared; /* MAP_SHARED; NULL: no guard was started */
	uint64_t seen_beat;	     /* of the guard, when it was last checked */
	unsigned int stalled;	     /* checks in a row without progress */
};

/*
 * Fork the guard, which calls fn with its copy of ctx. After guard_lost() it may be called again. Returns 0 or a
 * negative errno.
 */
int guard_start(struct guard *g, guard_fn fn, void *ctx);

/* True if the guard has died; reaps it, and other children, but for the one to keep. */
bool guard_lost(struct guard *g, pid_t keep);

/* Called once a second. True if the guard made no progress for some seconds and was killed: start another. */
bool guard_stalled(struct guard *g);

/* The monitor hands over: it makes no progress from now on, and that is no stall. */
void guard_leaving(struct guard *g);

/* Kill the guard: the monitor is about to end as it should. */
void guard_stop(struct guard *g);

#endif
