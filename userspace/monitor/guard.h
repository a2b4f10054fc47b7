/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.h - a process that reports the monitor's death, because a killed process cannot. The monitor forks it; it shares
 * the monitor's BPF maps and ring buffer, and stays silent as long as the monitor runs.
 */
#ifndef CACHEWARDEN_GUARD_H
#define CACHEWARDEN_GUARD_H

#include "report/sinks.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum guard_event {
	GUARD_MONITOR_STOPPED, /* by SIGSTOP or a tracer: it is alive, but monitors nothing */
	GUARD_MONITOR_DIED,    /* without stopping the guard first; the guard exits after this */
};

typedef void (*guard_fn)(void *ctx, enum guard_event event);

/* Written by the monitor, read by the guard when the monitor can no longer speak. */
struct guard_shared {
	struct sink_status sink[SINKS_MAX];
};

struct guard {
	pid_t pid; /* 0: none */
	int monitor_fd;
	struct guard_shared *shared; /* MAP_SHARED; NULL: no guard was started */
};

/*
 * Fork the guard, which calls fn with its copy of ctx. After guard_lost() it may be called again. Returns 0 or a
 * negative errno.
 */
int guard_start(struct guard *g, guard_fn fn, void *ctx);

/* Whether the guard has died by itself; reaps it. */
bool guard_lost(struct guard *g);

/* Kill the guard: the monitor is about to end as it should. */
void guard_stop(struct guard *g);

#endif
