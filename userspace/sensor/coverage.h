/* SPDX-License-Identifier: BSD-2-Clause */
/* coverage.h - what is seen and what is not, told once the sensors stand. */
#ifndef CACHEWARDEN_COVERAGE_H
#define CACHEWARDEN_COVERAGE_H

#include "sensor/sensors.h"

/* One line on stderr, `alive` servers being watched; blind is called for each part nobody sees. */
void coverage_report(const struct sensors *s, size_t alive,
		     void (*blind)(void *ctx, const char *note, uint64_t total), void *ctx);

#endif
