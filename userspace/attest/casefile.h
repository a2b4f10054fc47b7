/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * casefile.h - the entries of a log that are about one incident, or about everything since some time, with what is needed to understand
 * and to verify them. The log is verified first. Reads only.
 */
#ifndef CACHEWARDEN_CASEFILE_H
#define CACHEWARDEN_CASEFILE_H

#include "attest/account.h"

#define CASEFILE_ENTRIES_MAX 100000
#define CASEFILE_BYTES_MAX (128u << 20)

struct kept {
	uint64_t index;
	char *entry; /* terminated */
	size_t len;
};

struct casefile {
	/* asked for */
	const char *incident; /* its id; NULL: everything */
	int64_t since;	      /* LEDGER_FIRST: all */
	/* found */
	struct account
		a; /* of the time from its first to its last entry; the reader, with its error, too */
	struct kept *all; /* in their order */
	size_t count, room, bytes;
	json_t *keys; /* delegations from the identity's to the key that signed the checkpoint: index and note */
};

/* Is the incident among these, the member of that name of an entry of kind "actor" or "layout"? */
bool casefile_names(json_t *incidents, const char *uid);

/* Returns 0; -EBADMSG if the log does not verify; -ENOENT if it has no such incident; or another negative errno. Free it in all cases. */
int casefile_make(struct casefile *c, const char *dir);
void casefile_free(struct casefile *c);

#endif
