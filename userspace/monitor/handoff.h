/* SPDX-License-Identifier: BSD-2-Clause */
/* handoff.h - starts and supervises the guard, and reports in the monitor's place when the monitor cannot. */
#ifndef CACHEWARDEN_HANDOFF_H
#define CACHEWARDEN_HANDOFF_H

#include "monitor/state.h"

/* Start the guard, unless the options forbid it. Failure is logged. */
void handoff_start(struct monitor *m);

/* Once a second: report a guard that was killed or makes no progress, and start another. */
void handoff_check(struct monitor *m);

/* Tell the guard that the monitor makes progress. */
void handoff_alive(struct monitor *m);

#endif
