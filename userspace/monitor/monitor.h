/* SPDX-License-Identifier: BSD-2-Clause */
/* monitor.h - `cachewarden run`: monitor every Redis and Valkey server on the host. */
#ifndef CACHEWARDEN_MONITOR_H
#define CACHEWARDEN_MONITOR_H

#include "monitor/options.h"

/*
 * Run until the duration is over or SIGINT or SIGTERM arrives. Returns an exit code: 0, 1 after an incident of severity
 * fail_on or worse, 2 for an invalid policy, 3 if the monitor could not start, lost its output or could not deliver all of
 * it. Errors are logged.
 */
int monitor_run(const struct monitor_options *o);

#endif
