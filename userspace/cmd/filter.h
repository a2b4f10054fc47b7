/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter.h - the options --instance, --rule, --severity, --actor and --since of every command that shows records: incidents of a
 * running monitor, and entries of an evidence log. Pure but for the messages of filter_check().
 */
#ifndef CACHEWARDEN_FILTER_H
#define CACHEWARDEN_FILTER_H

#include "cmd/cli.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Begin with FILTER_ANY; what is not asked for passes. */
struct filter {
	const char *instance; /* name, as alerts print it */
	const char *rule;     /* one of those that were broken */
	const char *actor;    /* pid, name or executable of who did it */
	const char *since;    /* as given; see since_ms */
	int severity;	      /* at least; index into FILTER_SEVERITIES, -1: any */
	int64_t since_ms; /* of the record's last event, epoch milliseconds; by filter_check() */
};

#define FILTER_ANY                                                                                 \
	{                                                                                          \
		.severity = -1, .since_ms = INT64_MIN                                              \
	}

#define FILTER_SEVERITIES "info|low|medium|high|critical"

/* Rows of a command's arguments. f: a struct filter; help: the beginning of a sentence. */
#define FILTER_INSTANCE(f)                                                                         \
	{                                                                                          \
		"--instance", "NAME", "Only of this server, as alerts name it.", CLI_TEXT,         \
			&(f).instance                                                              \
	}
#define FILTER_SINCE(f, help)                                                                      \
	{                                                                                          \
		"--since", "TIME",                                                                 \
			help ": a day or YYYY-MM-DDTHH:MM:SS, UTC, or @SECONDS since the epoch.",  \
			CLI_TEXT, &(f).since                                                       \
	}
#define FILTER_WHAT(f)                                                                             \
	{"--rule", "RULE", "Only those in which this rule was broken.", CLI_TEXT, &(f).rule},      \
		{"--severity", FILTER_SEVERITIES, "Only those at least so bad.", CLI_CHOICE,       \
		 &(f).severity},                                                                   \
	{                                                                                          \
		"--actor", "PID|NAME|FILE",                                                        \
			"Only by this process: its pid, its name or its executable.", CLI_TEXT,    \
			&(f).actor                                                                 \
	}

/* Read --since, and see whether there is such a rule. Returns CLI_PROCEED, or EXIT_USAGE after an error message. */
int filter_check(const char *command, struct filter *f);

/* An incident of the control socket (recent_request.h). One of a severity that this version does not know passes. */
bool filter_incident(const struct filter *f, const json_t *incident);

/* Remove from an array of those all that do not pass. */
void filter_incidents(const struct filter *f, json_t *incidents);

/* An entry of an evidence log. It passes only if it says what is asked for: a heartbeat has no severity. */
bool filter_entry(const struct filter *f, const json_t *entry);

#endif
