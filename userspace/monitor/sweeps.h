/* SPDX-License-Identifier: BSD-2-Clause */
/* sweeps.h - examines the state of the host and of instances for what hooks did not see. */
#ifndef CACHEWARDEN_SWEEPS_H
#define CACHEWARDEN_SWEEPS_H

#include "monitor/state.h"

/* Sweep the host and every instance now, and schedule the next one. */
void sweeps_run(struct monitor *m);

/* Baseline instances whose start is over, without waiting for a sweep: until then code that they map is no finding. */
void sweeps_baseline(struct monitor *m);

/* Keep what is known of servers for the next monitor. Each sweep does, if it has changed. always: also if not. */
void sweeps_save(struct monitor *m, bool always);

#endif
