/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * witness_request.h - what is sent to a witness. Pure: no I/O.
 *
 * add-checkpoint (C2SP tlog-witness): "old N", the proof that the tree of N entries is a prefix, an empty line, the signed
 * checkpoint. add-delegation is ours: delegations as signed notes, in the order of their epochs, an empty line between two. A
 * log whose keys change needs it once for each new key before a checkpoint that is signed with it.
 */
#ifndef CACHEWARDEN_WITNESS_REQUEST_H
#define CACHEWARDEN_WITNESS_REQUEST_H

#include "evidence/note.h"
#include "evidence/tree.h"

#define WITNESS_PROOF_MAX 63
#define WITNESS_SIZE_TYPE "text/x.tlog.size"

struct witness_request {
	uint64_t old;
	struct tree_proof proof;
	const char *note; /* in the request */
	size_t note_len;
};

/* Returns 0 or -EINVAL. */
int witness_request_parse(struct witness_request *r, const char *body, size_t len);

/* The request as text, to be freed. NULL: out of memory. */
char *witness_request_text(uint64_t old, const struct tree_proof *proof, const char *note,
			   size_t *ret_len);

/*
 * The delegation at *at of an add-delegation request, of which len bytes are there; *at goes behind it. Returns 1, 0 if there is
 * none left, or -EINVAL.
 */
int witness_next_delegation(const char *body, size_t len, size_t *at, struct note *note,
			    struct delegation *ret);

#endif
