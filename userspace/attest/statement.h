/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * statement.h - in-toto statements (v1) of what a ledger added up. docs/evidence.md has the schema of the predicate. Pure: no I/O.
 */
#ifndef CACHEWARDEN_STATEMENT_H
#define CACHEWARDEN_STATEMENT_H

#include "evidence/chain.h"

#include <jansson.h>

#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define STATEMENT_PREDICATE "urn:cachewarden:statement:v1"

struct statement {
	int64_t from, to;
	const struct checkpoint *log; /* the tree it was computed from */
	const struct chain
		*after;	   /* the statement before, for one of the log's own; NULL: on demand */
	unsigned int part; /* 1, 2, ...; later ones have servers only */
	bool more;	   /* another part follows */
};

/* sum: of ledger_sum(); servers: those of it that are in this part. The statement as an object, new; NULL if memory ran out. */
json_t *statement_new(const struct statement *s, json_t *sum, json_t *servers);

/* Its text, in one form only; to be freed. NULL if memory ran out. */
char *statement_text(json_t *statement);

#endif
