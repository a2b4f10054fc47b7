/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chain.h - the statements of a log in their order: each has the number after the one before, names its digest, begins when it
 * ended, and is signed by the key in force there. A period can have several parts, each with the next number; if the writer was
 * killed between two of them, the next one states it again from the first part on. Pure: no I/O.
 */
#ifndef CACHEWARDEN_CHAIN_H
#define CACHEWARDEN_CHAIN_H

#include "evidence/note.h"

#include <jansson.h>

#define CHAIN_DIGEST_LEN 65
#define CHAIN_ERROR_LEN 256

/* The last statement that was seen. Zero-initialise. */
struct chain {
	uint64_t count;		       /* seen */
	uint64_t number;	       /* of the last one; 0: there is none */
	uint64_t index;		       /* its entry */
	uint64_t size;		       /* of the tree it is about */
	char digest[CHAIN_DIGEST_LEN]; /* SHA-256 of its payload */
	int64_t from, to;	       /* its period, epoch milliseconds */
	int64_t part;		       /* of those about that period */
	bool more;		       /* there is another part */
	int64_t every_ms;	       /* the interval between statements */
	bool cut; /* the beginning of the log is not there: the first one seen may have any number */
};

/* SHA-256 in hexadecimal digits. */
void chain_digest(const char *payload, size_t len, char buf[CHAIN_DIGEST_LEN]);

/*
 * Take the next entry of kind "statement". key: in force at that entry; NULL: the signature is not checked. Returns 0, or -EBADMSG
 * with the reason in error, and *c as it was; -ENOMEM.
 */
int chain_next(struct chain *c, uint64_t index, const char *entry, size_t len,
	       const struct note_key *key, char error[CHAIN_ERROR_LEN]);

/* Take a statement's payload for the last one of the chain, unchecked. Returns 0 or -EBADMSG. */
int chain_take(struct chain *c, uint64_t index, const char *payload, size_t len);

/* The payload of an entry of kind "statement", parsed; NULL if it is none. */
json_t *chain_statement(const char *entry, size_t len);

#endif
