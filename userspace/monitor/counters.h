/* SPDX-License-Identifier: BSD-2-Clause */
/* counters.h - reports what the BPF programs counted and what went unseen, once a second and in a summary at the end. */
#ifndef CACHEWARDEN_COUNTERS_H
#define CACHEWARDEN_COUNTERS_H

#include "monitor/state.h"

/* Update alerts from the attempts table, and remove entries that are idle. */
void counters_attempts(struct monitor *m);

/* Report every counter of something unseen that has grown. */
void counters_blind_spots(struct monitor *m);

/* Report programs that were attached and are not any more. */
void counters_programs(struct monitor *m);

/* Report how far behind the monitor was, if it was. */
void counters_lag(struct monitor *m);

/* Log the run's totals. */
void counters_summary(const struct monitor *m);

#endif
