/* SPDX-License-Identifier: BSD-2-Clause */
/* heartbeat.h - sends the heartbeat that the options ask for. */
#ifndef CACHEWARDEN_MONITOR_HEARTBEAT_H
#define CACHEWARDEN_MONITOR_HEARTBEAT_H

#include "monitor/state.h"

/* Once a second. */
void heartbeat_tick(struct monitor *m);

#endif
