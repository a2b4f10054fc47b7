/* SPDX-License-Identifier: BSD-2-Clause */
/* witness_internal.h - what witness_answer.c and witness_state.c share. */
#ifndef CACHEWARDEN_WITNESS_INTERNAL_H
#define CACHEWARDEN_WITNESS_INTERNAL_H

#include "evidence/signer.h"
#include "evidence/witness.h"

#define WITNESS_FILE_LEN 96 /* of a state file's path; see disk.h for its limit */

struct known_log {
	struct note_key identity;
	struct checkpoint last; /* that was cosigned; of the empty tree if there is none */
	struct note_key key;	/* that signed it */
	uint64_t epoch;		/* of that key; 0: it is the identity */
	struct note_key next; /* the one that the log delegated to since, if next_epoch is not 0 */
	uint64_t next_epoch;
	char file[WITNESS_FILE_LEN];
};

struct witness {
	int dir, lock;
	struct signer *signer;
	uint64_t (*now)(void);
	struct known_log *log;
	size_t logs;
};

/* Read what is known of a log. Returns 0, or a negative errno with the reason in error. */
int witness_load(const struct witness *w, struct known_log *l, char error[WITNESS_ERROR_LEN]);

/*
 * Put a cosigned checkpoint and the key that signed it on the disk. Returns 0 or a negative errno: then there is the old state or
 * the new one.
 */
int witness_store(const struct witness *w, const struct known_log *l, const char *note, size_t len);

/*
 * Keep the proof that a log contradicts itself: another tree of the size that was cosigned is signed. The first one stays. Failures
 * are logged.
 */
void witness_keep_forked(const struct witness *w, const struct known_log *l, const char *note,
			 size_t len);

/* Keep the last checkpoint that was not shown to go on; by itself it proves nothing. Failures are logged. */
void witness_keep_refused(const struct witness *w, const struct known_log *l, const char *note,
			  size_t len);

#endif
