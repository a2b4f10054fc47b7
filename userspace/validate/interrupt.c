// SPDX-License-Identifier: BSD-2-Clause
/* interrupt.c - see interrupt.h. */
#include "validate/interrupt.h"

#include <stddef.h>
#include <time.h>

static const struct {
	int number;
	const char *name;
} signals[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* Not those that are ignored, as by nohup: a signal that is blocked stays pending all the same. */
static void fill(sigset_t *set)
{
	struct sigaction now;

	sigemptyset(set);
	for (size_t i = 0; i < SIGNALS; i++) {
		if (sigaction(signals[i].number, NULL, &now) || now.sa_handler != SIG_IGN)
			sigaddset(set, signals[i].number);
	}
}

void interrupt_hold(sigset_t *before)
{
	sigset_t set;

	fill(&set);
	sigprocmask(SIG_BLOCK, &set, before);
}

bool interrupt_came(void)
{
	sigset_t pending;

	if (sigpending(&pending))
		return false;
	for (size_t i = 0; i < SIGNALS; i++) {
		if (sigismember(&pending, signals[i].number) == 1)
			return true;
	}
	return false;
}

const char *interrupt_release(const sigset_t *before)
{
	const struct timespec at_once = {};
	const char *name = NULL;
	sigset_t set;
	int taken;

	fill(&set);
	while ((taken = sigtimedwait(&set, NULL, &at_once)) > 0) {
		for (size_t i = 0; i < SIGNALS; i++) {
			if (signals[i].number == taken && !name)
				name = signals[i].name;
		}
	}
	sigprocmask(SIG_SETMASK, before, NULL);
	return name;
}
