/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics.h - the figures of the monitor in Prometheus' text format 0.0.4. A metric is one row of a table in metrics.c: name, type,
 * help, and the function that writes its samples. Labels take their values from tables of the product, and from the names of at most
 * METRICS_INSTANCES servers; the others are counted together.
 */
#ifndef CACHEWARDEN_METRICS_H
#define CACHEWARDEN_METRICS_H

#include "monitor/state.h"

#include <stdio.h>

#define METRICS_INSTANCES 100
#define METRICS_OTHERS                                                                             \
	"others" /* no server is called so: a name has a port, or is that of an executable that runs alone */

void metrics_write(const struct monitor *m, FILE *to);

/* Once a second: a new page for those who ask, if metrics are to be served. */
void metrics_tick(struct monitor *m);

/* The table, for documents: false behind the last row. */
struct metric_row {
	const char *name, *type, *help;
};
bool metrics_row(size_t i, struct metric_row *ret);

#endif
