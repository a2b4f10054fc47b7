/* SPDX-License-Identifier: BSD-2-Clause */
/* log.h - messages for the operator on stderr. Alerts go to sinks instead. */
#ifndef CACHEWARDEN_LOG_H
#define CACHEWARDEN_LOG_H

#include <stdarg.h>

#define PRINTF(a, b) __attribute__((format(printf, a, b)))

/* From now on drop what log_info() is given; write what log_debug() is given. */
void log_quiet(void);
void log_verbose(void);

/* Writes "cachewarden: ", the message and a newline. Longer lines are cut at 1 KiB. */
void log_info(const char *fmt, ...) PRINTF(1, 2);
void log_debug(const char *fmt, ...) PRINTF(1, 2);
void log_warn(const char *fmt, ...) PRINTF(1, 2);
void log_error(const char *fmt, ...) PRINTF(1, 2);

#endif
