/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink_process.h - a sink of the policy, seen from the monitor: a bounded queue before the socket of the sink's own
 * process (sink_worker.h). Nothing here waits for it. A process that ends or makes no progress is replaced.
 */
#ifndef CACHEWARDEN_SINK_PROCESS_H
#define CACHEWARDEN_SINK_PROCESS_H

#include "report/sink.h"

#define SINK_QUEUE_MAX (8u << 20) /* bytes; about 2,000 incidents */

extern const struct sink_ops sink_process;

#endif
