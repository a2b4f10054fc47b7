/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.h - a process that waits for the monitor's death, because who is killed cannot tell. It is forked by
 * the monitor, shares its maps and ring buffer, and speaks only when the monitor cannot.
 */
#ifndef CACHEWARDEN_GUARD_H
#define CACHEWARDEN_GUARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum guard_news {
	GUARD_STOPPED, /* the monitor is stopped: it lives, but watches nothing */
	GUARD_KILLED,  /* it died unasked; the guard ends behind this */
};

/* What the monitor leaves behind at each moment; in memory both have. */
struct guard_will {
	uint64_t unwritten; /* lines that did not reach the reader */
	bool mid_line;	    /* the last one reached it in part */
};

struct guard {
	pid_t pid; /* 0: none */
	int monitor_fd;
	struct guard_will *will;
};

/*
 * Fork the guard; news is called there. Once started it can be started again after guard_lost. Returns 0 or a
 * negative errno.
 */
int guard_start(struct guard *g, void (*news)(void *ctx, enum guard_news what), void *ctx);

/* Did it end, though nobody ended it? Then there is none any more. */
bool guard_lost(struct guard *g);

/* The monitor ends as asked: nothing is left to guard. */
void guard_stop(struct guard *g);

#endif
