/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule.h - what the numbers of event.h are called, and how bad each finding is. Names are stable:
 * policies, alerts, tests and documents use them.
 */
#ifndef CACHEWARDEN_RULE_H
#define CACHEWARDEN_RULE_H

#include "event.h"

#include <stddef.h>
#include <stdint.h>

/* OCSF severity_id */
enum severity {
	SEVERITY_INFO = 1,
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL
};

/* How far an attack has come, by what it did. */
enum stage {
	STAGE_NONE,
	STAGE_LOOK,
	STAGE_TOUCH,
	STAGE_TAKE,
	STAGE_CHANGE,
	STAGE_SPILL,
	STAGE_MAX
};

/* An ATT&CK technique a rule's finding is evidence of. */
struct technique {
	const char *uid;
	const char *name;
};

#define ATTACK_VERSION "17.1"
#define TECHNIQUES_MAX 2

/* NULL for a number that names nothing. */
const char *rule_name(unsigned int rule);
/* Names of all rules whose bit (1u << rule) is set, a space between. */
void rule_names(uint32_t rules, char *buf, size_t size);
const char *rule_title(unsigned int rule);
const struct technique *rule_techniques(
	unsigned int rule); /* TECHNIQUES_MAX of them, uid NULL behind the last */
const char *vector_name(unsigned int vector);
const char *payload_name(unsigned int payload);
const char *severity_name(enum severity s);

/* By what it was done: a vector's name, or that of the syscall the access check stood in. */
void rule_vector(const struct event *ev, char *buf, size_t size);

/* How bad this attempt is: by rule, by what was touched, one step less where it was refused. */
enum severity rule_severity(const struct event *ev);

/* What was reached by this attempt: one that was refused or prevented has at most touched. */
enum stage rule_stage(const struct event *ev);
const char *stage_name(enum stage s);

/* What in particular: "PTRACE_ATTACH", "maps", "fd/7", "fd 7"; empty if there is nothing to add. */
void rule_detail(const struct event *ev, char *buf, size_t size);

/* "alert", or "prevented". */
const char *rule_verdict(const struct event *ev);

/*
 * "dropped" (prevented: bytes that crossed no wire), "killed" (prevented: the actor died before it could use it), "succeeded", "denied" (EPERM, EACCES), "failed" (any other errno), "unknown" (state found by a
 * sweep).
 */
const char *rule_outcome(const struct event *ev);

/* File of /proc/PID by enum file_kind, NULL beyond. */
const char *proc_file_name(unsigned int file);

/* Rule broken by opening it for reading, for writing. */
unsigned int proc_file_rule(unsigned int file, int write);

#endif
