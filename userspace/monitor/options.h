/* SPDX-License-Identifier: BSD-2-Clause */
/* options.h - what `cachewarden run` was asked for. */
#ifndef CACHEWARDEN_OPTIONS_H
#define CACHEWARDEN_OPTIONS_H

#include "model/severity.h"
#include "policy/policy.h"
#include "report/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct monitor_options {
	const struct format_ops *format;
	bool events;		/* report every event, allowed and observed ones too */
	const char *policy;	/* file; NULL: POLICY_FILE if it exists */
	const char *const *exe; /* further names of servers' executables */
	size_t exe_count;
	const pid_t *pid; /* processes that are servers, whatever they are called */
	size_t pid_count;
	const struct policy_sink *sink; /* besides those of the policy */
	size_t sinks;
	const char *metrics;  /* where they are served; NULL: what the policy says */
	const char *evidence; /* directory of the log; NULL: what the policy says */
	uint32_t statement_s; /* between statements in it; 0: the default */
	uint32_t duration_s;  /* 0: until SIGINT or SIGTERM */
	bool prevent;	  /* prevent mem-trace, mem-read, mem-write and mem-fd on every instance */
	bool enforce_tls; /* drop plaintext on every instance's sockets */
	int tier;	  /* enum policy_tier; negative: what the policy says */
	bool no_guard;
	enum severity fail_on; /* exit with 1 after an incident that severe; 0: never */
	uint32_t heartbeat_s;  /* 0: none */
	uint32_t sweep_s;      /* 0: only at start and after alerts */
};

#endif
