/* SPDX-License-Identifier: BSD-2-Clause */
/* monitor.h - watch every Redis and Valkey on the host, until told to stop. */
#ifndef CACHEWARDEN_MONITOR_H
#define CACHEWARDEN_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

struct monitor_options {
	bool json;
	bool events;	     /* what is allowed or observed is shown as well */
	const char *policy;  /* file; NULL: the usual one, if it is there */
	uint32_t duration_s; /* 0: until SIGINT or SIGTERM */
	bool prevent;	     /* trace, read, write and fd upon all instances */
	bool enforce_tls;    /* plaintext on servers' sockets is dropped */
	bool no_guard;
	uint32_t sweep_s; /* 0: only at start and after alerts */
};

/* Returns an exit code: 0 ended as asked, 2 wrong policy, 3 could not do the job (said why on stderr). */
int monitor_run(const struct monitor_options *o);

#endif
