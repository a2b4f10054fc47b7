// SPDX-License-Identifier: BSD-2-Clause
/* clock_step.c - see clock_step.h. */
#include "base/clock_step.h"

#include "base/clock.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TRIES 10

bool clock_step_check(int64_t *last_ms, int64_t boot_ms, bool set, struct clock_step *ret)
{
	int64_t by = boot_ms - *last_ms;

	if (!set && by < CLOCK_STEP_MS && by > -CLOCK_STEP_MS)
		return false;
	*ret = (struct clock_step){.set = set, .before_ms = *last_ms, .ms = boot_ms};
	*last_ms = boot_ms;
	return true;
}

/* A timer that is not to fire: years from now. */
static bool arm(int fd)
{
	struct itimerspec never = {.it_value.tv_sec = INT32_MAX};

	return !timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
}

/* Both clocks at one moment: no other process ran for long between them. */
static bool boot_epoch_ms(int64_t *ret)
{
	for (int i = 0; i < TRIES; i++) {
		uint64_t before = clock_boot_ns();

		*ret = clock_epoch_ms(0);
		if (clock_boot_ns() - before < CLOCK_STEP_MS / 10 * NS_PER_MS)
			return true;
	}
	return false;
}

void clock_watch_open(struct clock_watch *w)
{
	if (!boot_epoch_ms(&w->last_ms)) /* good enough: a step later is then off by that much */
		w->last_ms = clock_epoch_ms(0);
	w->set = false;
	w->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (w->fd >= 0 && !arm(w->fd))
		clock_watch_close(w);
}

void clock_watch_close(struct clock_watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

bool clock_watch_check(struct clock_watch *w, struct clock_step *ret)
{
	uint64_t fired;
	int64_t now_ms;

	if (w->fd >= 0 && read(w->fd, &fired, sizeof(fired)) < 0 && errno == ECANCELED) {
		w->set = true;
		arm(w->fd);
	}
	if (!boot_epoch_ms(&now_ms) || !clock_step_check(&w->last_ms, now_ms, w->set, ret))
		return false;
	w->set = false;
	return true;
}
