/* SPDX-License-Identifier: BSD-2-Clause */
/* asks.h - the servers that are asked which files are their own, and the sessions with them; see ask.h. */
#ifndef CACHEWARDEN_ASKS_H
#define CACHEWARDEN_ASKS_H

#include "model/alert.h"
#include "monitor/ask_session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ASK_RETRY_NS 60000000000ull /* doubled each time */

/* Times are CLOCK_BOOTTIME. */
struct ask {
	uint32_t instance;
	uint64_t due_ns; /* UINT64_MAX: never again */
	uint64_t retry_ns;
	uint64_t began_ns, ended_ns; /* of the last session */
	int pidfd;		     /* of the session under way; -1: none is */
	pid_t pid;
	struct ask_answer
		*answer; /* of the last session; NULL: there was none, or it is forgotten */
	uint64_t failed; /* times, with the same note */
	char note[ALERT_NOTE_LEN];
};

struct asks {
	struct ask *all;
	size_t count, room;
};

/* End what is under way. */
void asks_free(struct asks *a);

/* Ask all again: the policy is another one. */
void asks_restart(struct asks *a);

/* NULL if there is none. */
struct ask *asks_find(const struct asks *a, uint32_t instance);

/* If memory ran out nothing is added. */
void asks_add(struct asks *a, uint32_t instance);

/* Drop those that keep() does not want, with what is under way. */
void asks_trim(struct asks *a, bool (*keep)(void *ctx, uint32_t instance), void *ctx);

/* Is that connection to an instance one that it was asked through, at that time? Such a one breaks no rule. */
bool asks_own(const struct asks *a, uint32_t instance, const struct conn_ends *ends,
	      uint64_t time_ns);

/* Begin a session, in a child. Returns 0 or a negative errno. */
int ask_begin(struct ask *a, const struct ask_question *q, uint64_t now_ns);

/* Has the session ended, or should it have? */
bool ask_is_over(const struct ask *a, uint64_t now_ns);

/* Its answer stays, until ask_forget(): segments of its connections may still be on their way. */
void ask_end(struct ask *a);
void ask_forget(struct ask *a);

/* May it be forgotten? */
bool ask_is_settled(const struct ask *a, uint64_t now_ns);

#endif
