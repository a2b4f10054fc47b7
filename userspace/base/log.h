/* SPDX-License-Identifier: BSD-2-Clause */
/* log.h - what the operator is told on stderr. Alerts never go here. */
#ifndef CACHEWARDEN_LOG_H
#define CACHEWARDEN_LOG_H

#include <stdarg.h>

#define PRINTF(a, b) __attribute__((format(printf, a, b)))

/* One line on stderr, "cachewarden: " before it and a newline behind. */
void log_info(const char *fmt, ...) PRINTF(1, 2);
void log_warn(const char *fmt, ...) PRINTF(1, 2);
void log_error(const char *fmt, ...) PRINTF(1, 2);

#endif
