/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notice.h - a message in JSON, taken apart again for transports whose protocol has fields of its own. Done in the sink's
 * process: the monitor formats once.
 */
#ifndef CACHEWARDEN_NOTICE_H
#define CACHEWARDEN_NOTICE_H

#include "model/severity.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum notice_field {
	NOTICE_KIND,	 /* "incident", "event" or "heartbeat" */
	NOTICE_ACTIVITY, /* "Create", "Update" or "Close" */
	NOTICE_ID,	 /* the same for all messages about an incident */
	NOTICE_SEVERITY,
	NOTICE_RULE, /* of an incident, that of its worst action */
	NOTICE_VERDICT,
	NOTICE_INSTANCE,
	NOTICE_INSTANCE_UID,
	NOTICE_ACTOR_PID,
	NOTICE_ACTOR_COMM,
	NOTICE_ACTOR_EXE,
	NOTICE_ACTOR_UID,
	NOTICE_ACTOR_UNIT,
	NOTICE_ACTOR_CONTAINER,
	NOTICE_HOST,
	NOTICE_MAX,
};

#define NOTICE_NUMBER_LEN 24

struct notice {
	const char *title;	      /* one line for people */
	const char *advice;	      /* what to do; NULL: nothing */
	const char *text[NOTICE_MAX]; /* NULL: it has none */
	enum severity severity;
	bool heartbeat, closed;
	int64_t time_ms, start_ms;
	int64_t interval_s; /* of a heartbeat */
	json_t *json;
	char number[NOTICE_MAX][NOTICE_NUMBER_LEN]; /* texts of numbers */
};

/* "rule", "instance_uid": short, lower case, unique. */
const char *notice_field_name(enum notice_field field);

/* Returns false if it is no message of ours. notice_free() afterwards in either case. */
bool notice_parse(struct notice *n, const char *json, size_t len);
void notice_free(struct notice *n);

/* As syslog(3) counts them: 6 is informational, 2 critical. */
unsigned int notice_priority(const struct notice *n);

#endif
