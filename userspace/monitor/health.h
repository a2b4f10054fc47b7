/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * health.h - what is wrong with the monitor: what it does not cover now, and what it could not see lately. A lasting state, such
 * as a sensor that is not attached, is wrong as long as it lasts; a loss that is over, for HEALTH_LATELY_NS.
 */
#ifndef CACHEWARDEN_HEALTH_H
#define CACHEWARDEN_HEALTH_H

#include "monitor/state.h"

#define HEALTH_LATELY_NS (600 * NS_PER_SEC)
#define HEALTH_LINES_MAX 32
#define HEALTH_LINE_LEN 384

struct health {
	char line[HEALTH_LINES_MAX][HEALTH_LINE_LEN];
	size_t lines; /* 0: all is well */
	size_t more;  /* that found no room */
};

void health_check(const struct monitor *m, struct health *ret);

/* Once a second: tell the service manager, now and then, what it shows of the service. */
void health_tick(struct monitor *m);

#endif
