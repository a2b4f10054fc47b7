/* SPDX-License-Identifier: BSD-2-Clause */
/* startup.h - from nothing to a monitor that watches: kernel, sensors, servers that run already. */
#ifndef CACHEWARDEN_STARTUP_H
#define CACHEWARDEN_STARTUP_H

#include "monitor/state.h"

/* m has its options, policy and tables. Returns 0, or -1 after an error message. */
int startup(struct monitor *m);

#endif
