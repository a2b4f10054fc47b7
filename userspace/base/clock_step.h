/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock_step.h - tells when the wall clock left its course: somebody set it, or it drifted away from the time since boot. What
 * decides is pure; time is passed in.
 */
#ifndef CACHEWARDEN_CLOCK_STEP_H
#define CACHEWARDEN_CLOCK_STEP_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_STEP_MS                                                                              \
	500 /* NTP steers by half a millisecond in a second: that much is a step, or an hour of drift */

struct clock_step {
	bool set;	       /* by clock_settime() or the like; else it drifted */
	int64_t before_ms, ms; /* wall clock when the host booted, by the clock before and now */
};

/*
 * The wall clock at boot is boot_ms now; *last_ms what it was when this was called first or returned true last. set: the clock
 * was set since the last call. Returns true, and fills *ret, if that is worth a line.
 */
bool clock_step_check(int64_t *last_ms, int64_t boot_ms, bool set, struct clock_step *ret);

struct clock_watch {
	int fd; /* a timer that the kernel cancels when the clock is set; -1: there is none */
	bool set;
	int64_t last_ms;
};

/* Without the timer only the difference tells. */
void clock_watch_open(struct clock_watch *w);
void clock_watch_close(struct clock_watch *w);

/* clock_step_check() with the clocks as they are now. */
bool clock_watch_check(struct clock_watch *w, struct clock_step *ret);

#endif
