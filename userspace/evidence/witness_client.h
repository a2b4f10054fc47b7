/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * witness_client.h - gets a log's checkpoint cosigned by a witness, and keeps what it cosigned: DIR/cosigned/ID is the
 * checkpoint with the cosignature of the witness whose key has that id.
 */
#ifndef CACHEWARDEN_WITNESS_CLIENT_H
#define CACHEWARDEN_WITNESS_CLIENT_H

#include "evidence/note.h"

#include <stdbool.h>

#define WITNESS_CLIENT_ERROR_LEN 1024
#define COSIGNED_PATH_LEN 32

struct witnessed {
	uint64_t size;	 /* entries that the cosigned checkpoint covers */
	uint64_t time_s; /* when the witness cosigned it */
	bool damaged;	 /* not the witness refused, the log here cannot be read */
};

/*
 * Submit the log's checkpoint. Returns 0; or with the reason in error -EBADMSG: the witness has seen another log of this name, or
 * a longer one, or (ret->damaged) the log is damaged; -EINVAL: the URL is none; another negative errno: the witness was not reached, or did not
 * do what it should.
 */
int witness_submit(const char *dir, const char *url, const struct note_key *witness,
		   struct witnessed *ret, char error[WITNESS_CLIENT_ERROR_LEN]);

/* Path of the cosigned checkpoint below the log's directory. */
void cosigned_path(const struct note_key *witness, char buf[COSIGNED_PATH_LEN]);

#endif
