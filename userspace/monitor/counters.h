/* SPDX-License-Identifier: BSD-2-Clause */
/* counters.h - what the kernel counted and what went unseen, read once a second and summed up at the end. */
#ifndef CACHEWARDEN_COUNTERS_H
#define CACHEWARDEN_COUNTERS_H

#include "monitor/state.h"

/* Update alerts from the attempts table, and remove entries that are idle. */
void counters_attempts(struct monitor *m);

/* Report every counter of something unseen that has grown. */
void counters_blind_spots(struct monitor *m);

/* Report programs that were attached and are not any more. */
void counters_programs(struct monitor *m);

/* Report how far the monitor was behind, if it was. */
void counters_lag(struct monitor *m);

/* Log the run's totals. */
void counters_summary(const struct monitor *m);

#endif
