/* SPDX-License-Identifier: BSD-2-Clause */
/* startup.h - brings the monitor up: checks the host, loads the sensors, finds the servers that run already. */
#ifndef CACHEWARDEN_STARTUP_H
#define CACHEWARDEN_STARTUP_H

#include "monitor/state.h"

/* m has its options, policy and tables. Returns 0, or -1 after an error message. */
int startup(struct monitor *m);

/* Open the evidence log, if one is asked for, and say under which policy it is kept. */
void startup_evidence(struct monitor *m);

#endif
