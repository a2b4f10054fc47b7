/* SPDX-License-Identifier: BSD-2-Clause */
/* replay.h - judges recorded events by a policy. */
#ifndef CACHEWARDEN_REPLAY_H
#define CACHEWARDEN_REPLAY_H

#include "policy/policy.h"

#include <stdio.h>

enum replay_end { REPLAY_NO_ALERT, REPLAY_ALERT, REPLAY_WRONG };

/*
 * Judge each event that `run --events --output json` wrote to that file, as of at_ms (POLICY_UNSET: when it
 * happened), and print a verdict a line. REPLAY_WRONG: error says which line is no event and why.
 */
enum replay_end replay(const struct policy *p, const char *path, int64_t at_ms, FILE *to,
		       char *error, size_t size);

#endif
