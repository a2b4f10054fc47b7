/* SPDX-License-Identifier: BSD-2-Clause */
/* replay.h - evaluates recorded events by a policy. */
#ifndef CACHEWARDEN_REPLAY_H
#define CACHEWARDEN_REPLAY_H

#include "policy/policy.h"

#include <stdio.h>

enum replay_end { REPLAY_NO_ALERT, REPLAY_ALERT, REPLAY_WRONG };

/*
 * Evaluate each event of a file written by `run --events --output json` and print a verdict per line to `to`. at_ms: when
 * exceptions are checked, POLICY_UNSET for the time of each event. Returns REPLAY_WRONG with a reason in error at the
 * first line that is not an event.
 */
enum replay_end replay(const struct policy *p, const char *path, int64_t at_ms, FILE *to,
		       char *error, size_t size);

#endif
