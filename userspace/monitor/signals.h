/* SPDX-License-Identifier: BSD-2-Clause */
/* signals.h - SIGINT and SIGTERM end the monitor, SIGHUP reloads its policy. */
#ifndef CACHEWARDEN_SIGNALS_H
#define CACHEWARDEN_SIGNALS_H

#include <stdbool.h>

/* Install the handlers, and ignore SIGPIPE: a reader who left shows as EPIPE. */
void signals_catch(void);

/* Whether the monitor is to end. */
bool signals_stop(void);

/* Whether SIGHUP arrived since the last call. */
bool signals_take_reload(void);

/* Log which signal ended the monitor and who sent it, if one did. */
void signals_log_sender(void);

#endif
