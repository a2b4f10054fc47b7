/* SPDX-License-Identifier: BSD-2-Clause */
/* coverage.h - reports what is covered and what is not, once all programs are attached. */
#ifndef CACHEWARDEN_COVERAGE_H
#define CACHEWARDEN_COVERAGE_H

#include "sensor/sensors.h"

/*
 * Log one summary line for the number of instances watched, and a warning for each program that is not attached.
 * blind_spot is called for each, with a note of what goes unseen.
 */
void coverage_report(const struct sensors *s, size_t instances,
		     void (*blind_spot)(void *ctx, const char *note, uint64_t total), void *ctx);

#endif
