/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transport.h - how a sink of the policy reaches its destination. A transport is one file with a const struct transport
 * and one row in sink_process.c. All it does but open() happens in the sink's own process (sink_worker.h), one message at a
 * time: it may wait for the network or the disk, but only for TRANSPORT_WAIT_MS.
 *
 * A message is one line of JSON, as --output json prints it. What a transport needs of it is in notice.h.
 */
#ifndef CACHEWARDEN_TRANSPORT_H
#define CACHEWARDEN_TRANSPORT_H

#include "policy/policy.h"
#include "policy/policy_sink.h"

#include <stdbool.h>
#include <stddef.h>

#define TRANSPORT_WAIT_MS 10000
#define TRANSPORT_ERROR_LEN 256

enum sent {
	SENT,	      /* the destination has it */
	SENT_LATER,   /* it cannot take it now: the same message is tried again */
	SENT_REFUSED, /* it will never take this one */
};

struct transport {
	bool keeps_user; /* needs the monitor's user: a file of its own, or a destination that records who wrote */
	/*
	 * Called in the monitor, with all its rights and without touching the network: read certificates and secrets.
	 * Returns false with the reason in error.
	 */
	bool (*open)(const struct policy_sink *config, const struct policy_target *target,
		     void **ret_state, char error[TRANSPORT_ERROR_LEN]);
	void (*free)(void *state);
	/* Deliver one message. The reason is in error unless it was SENT. */
	enum sent (*send)(void *state, const char *json, size_t len,
			  char error[TRANSPORT_ERROR_LEN]);
	/*
	 * About once a second, unless the destination failed a moment ago; NULL: nothing to do. Returns false with the reason
	 * in error; what could not be done is done by the next call.
	 */
	bool (*tick)(void *state, char error[TRANSPORT_ERROR_LEN]);
};

extern const struct transport transport_file, transport_journald, transport_syslog,
	transport_webhook, transport_alertmanager, transport_otlp;

#endif
