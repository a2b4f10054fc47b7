/* SPDX-License-Identifier: BSD-2-Clause */
/* event_sample.h - a valid event, for tests that vary one field of it. */
#ifndef CACHEWARDEN_EVENT_SAMPLE_H
#define CACHEWARDEN_EVENT_SAMPLE_H

#include <string.h>

#include "event.h"

static inline struct event event_sample(void)
{
	struct event ev = {
		.magic = EVENT_MAGIC,
		.version = EVENT_VERSION,
		.type = EVENT_ATTEMPT,
		.size = sizeof(ev),
		.flags = EVENT_ACTOR,
		.key = {.rule = RULE_MEM_READ,
			.vector = VECTOR_PROCESS_VM_READV,
			.instance = 1,
			.tgid = 99},
	};

	ev.actor.pid = 99;
	ev.actor.tid = 99;
	strcpy(ev.actor.comm, "cat");
	return ev;
}

#endif
