/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attempt.h - what an attempt event (EVENT_ATTEMPT) means: how bad it is, how far it got, and the words that
 * reports use for it. Pure.
 */
#ifndef CACHEWARDEN_ATTEMPT_H
#define CACHEWARDEN_ATTEMPT_H

#include "model/rule.h"

#include "event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLIND_WHOLLY 1 /* detail of a self-blind: nothing is monitored at all */

/*
 * By rule, then by what was accessed where that says more. One step less if the attempt failed. Never above low for
 * process listers (ps, lsof, ...) that only read what they list.
 */
enum severity attempt_severity(const struct event *ev);

/*
 * The rule's stage; STAGE_LOOK if the monitor was only inspected; at most STAGE_TOUCH if the attempt failed or was
 * prevented.
 */
enum stage attempt_stage(const struct event *ev);

/* Vector name, or the syscall that reached the access check or its own hook. */
void attempt_vector(const struct event *ev, char *buf, size_t size);

/* What exactly was accessed or asked for: "PTRACE_ATTACH", "maps", "fd 7". Empty if there is nothing to add. */
void attempt_detail(const struct event *ev, char *buf, size_t size);

/*
 * "dropped"    prevented: the bytes never left or arrived
 * "killed"     prevented: the actor was killed before it could use what it got
 * "succeeded"
 * "denied"     EPERM or EACCES
 * "failed"     any other errno
 * "unknown"    a state that a sweep found, or a call that has not returned
 */
const char *attempt_outcome(const struct event *ev);

/*
 * The outcome in words: "opened for reading", "read 64 bytes", "denied (EPERM)", "prevented, killed", else as
 * attempt_outcome(). bytes: how many the kernel counted for all attempts of this kind, 0 if none.
 */
void attempt_result(const struct event *ev, uint64_t bytes, char *buf, size_t size);

/* Are the bytes counted those of the instance's memory or files? */
bool attempt_transfers(const struct event *ev);

#endif
