/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lag.h - measures how far behind the monitor is: from an event in the kernel until it was handed to the sinks, and from
 * when a tick was due until it ran. This shows, once it runs again, that a monitor was stopped, frozen or starved of CPU
 * time. Pure: time is passed in.
 */
#ifndef CACHEWARDEN_LAG_H
#define CACHEWARDEN_LAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A lag above this is a blind spot: an attack may be over before it is reported. */
#define LAG_LIMIT_NS 1000000000ull
#define LAG_REPORT_NS 10000000000ull /* between two reports of it */

/* Times are CLOCK_BOOTTIME. */
struct lag {
	/* what happened before is not counted: startup, or the host was suspended */
	uint64_t since_ns;
	uint64_t worst_ns; /* since the last report */
	uint64_t reported_ns;
	uint64_t most_ns; /* in all */
	uint64_t late;	  /* events and ticks beyond the limit, in all */
};

/* Something that happened, or was due, at happened_ns has been dealt with. Returns how late that was. */
uint64_t lag_note(struct lag *l, uint64_t happened_ns, uint64_t now_ns);

/* True if there is a lag to report, which buf then describes. */
bool lag_report(struct lag *l, uint64_t now_ns, char *buf, size_t size);

#endif
