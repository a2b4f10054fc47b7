/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * witnessing.h - has the evidence log's checkpoints cosigned by the witness of the policy, each minute that the log grew in. A process of
 * its own asks, as `cachewarden evidence witness` does: the main loop waits for no network, and what a witness answers is not
 * parsed in this process. One that is down is asked again, ever more seldom; its first answer then covers what it missed.
 */
#ifndef CACHEWARDEN_WITNESSING_H
#define CACHEWARDEN_WITNESSING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WITNESSING_ERROR_LEN 256

struct evidence;

struct witnessing {
	pid_t pid; /* of the process that asks; 0: none does */
	int out;   /* what it says */
	uint64_t began_ns, next_ns;
	unsigned int failing; /* attempts in a row that failed */
	uint64_t failed;      /* the witness was not reached, or did not do what it should */
	uint64_t refused;     /* it has seen another log, or a longer one */
	uint64_t damaged;     /* the log here cannot be read */
	uint64_t size;	      /* entries that it cosigned last; 0: none in this run */
	int64_t time_ms;      /* when */
	char error
		[WITNESSING_ERROR_LEN]; /* of the last attempt; empty: it succeeded, or there was none */
};

/* Once a second. witness: "URL KEY", of the policy in force; NULL: none. */
void witnessing_tick(struct witnessing *w, const struct evidence *e, const char *witness);

/* The log has ended: what was written last is cosigned, too, unless that takes WITNESSING_END_MS. */
#define WITNESSING_END_MS 3000
void witnessing_end(struct witnessing *w, const struct evidence *e, const char *witness);

/* Call fn for each reason for which the log is not cosigned, with a count. */
void witnessing_blind_spots(const struct witnessing *w,
			    void (*fn)(void *ctx, const char *note, uint64_t n), void *ctx);

#endif
