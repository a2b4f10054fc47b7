/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dsse.h - signed envelopes (DSSE v1.0, Ed25519) of in-toto statements. What is signed begins with "DSSEv1 ", which no note of
 * this log does: a signature of one is never one of the other. Pure: no I/O; the private key is behind a function.
 */
#ifndef CACHEWARDEN_DSSE_H
#define CACHEWARDEN_DSSE_H

#include "evidence/note.h"

#include <jansson.h>

#define DSSE_TYPE "application/vnd.in-toto+json"

/*
 * The envelope of a payload as one line of JSON, to be freed. keyid is the key as text, as `evidence verify` prints keys.
 * Returns 0 or a negative errno.
 */
int dsse_sign(const char *payload, size_t len, const struct note_key *k, note_sign_fn sign,
	      void *ctx, char **ret);

/* The payload of an envelope, terminated, to be freed. Returns 0, or -EBADMSG if it is no envelope of a statement; -ENOMEM. */
int dsse_payload(json_t *envelope, char **ret, size_t *ret_len);

/* Is the payload, taken from that envelope, signed by that key? */
bool dsse_verify(json_t *envelope, const char *payload, size_t len, const struct note_key *k);

#endif
