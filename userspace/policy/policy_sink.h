/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_sink.h - sinks in a policy: the kinds there are, and how `to` and --sink name one.
 */
#ifndef CACHEWARDEN_POLICY_SINK_H
#define CACHEWARDEN_POLICY_SINK_H

#include "policy/policy.h"

#include <stdbool.h>
#include <stddef.h>

enum policy_sink_kind {
	SINK_FILE,
	SINK_JOURNALD,
	SINK_SYSLOG,
	SINK_WEBHOOK,
	SINK_ALERTMANAGER,
	SINK_OTLP,
	SINK_KIND_MAX,
};

/* "file:/var/log/cachewarden.json", taken apart. */
struct policy_target {
	enum policy_sink_kind kind;
	const char
		*rest; /* behind the colon, in the text that was parsed; empty if there is none */
};

#define POLICY_TARGET_FORMS                                                                        \
	"file:PATH, journald, syslog:HOST:PORT, webhook:URL, alertmanager:URL or otlp:URL"

const char *policy_sink_kind_name(enum policy_sink_kind kind);

/* Returns false if text is not one of POLICY_TARGET_FORMS. */
bool policy_target_parse(const char *text, struct policy_target *ret);

/* Is the target reached over TLS? */
bool policy_target_tls(const struct policy_target *t);

/* Do both policies list the same sinks? */
bool policy_sinks_equal(const struct policy *a, const struct policy *b);

#endif
