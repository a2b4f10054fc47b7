/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heartbeat.h - a message at an interval that shows that the monitor is alive. If it is missing on the host that receives
 * it, monitor and guard may have been silenced together, which nobody on this host can report.
 */
#ifndef CACHEWARDEN_HEARTBEAT_H
#define CACHEWARDEN_HEARTBEAT_H

#include "report/buffer.h"

#include <stdbool.h>
#include <stdint.h>

struct heartbeat {
	uint64_t number;     /* 1, 2, 3, ...: a gap is a line that was lost */
	uint32_t interval_s; /* until the next one */
	int64_t time_ms;     /* epoch milliseconds, as all times */
	int64_t started_ms;  /* of the monitor */
	uint64_t instances;  /* alive */
	uint64_t events, incidents;
	uint64_t lost;	       /* attempts in no event and no count */
	uint64_t worst_lag_ms; /* since the last heartbeat */
	bool guarded;	       /* a guard watches the monitor */
	int64_t last_event_ms; /* 0: there was none */
	const char *last_event;
	const char *uid_prefix;
};

/* As in struct format_ops. */
const char *heartbeat_text(const struct heartbeat *h, struct report_buf *b, size_t *ret_len);
const char *heartbeat_ecs(const struct heartbeat *h, struct report_buf *b, size_t *ret_len);
const char *heartbeat_json(const struct heartbeat *h, struct report_buf *b, size_t *ret_len);

#endif
