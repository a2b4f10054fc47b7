/* SPDX-License-Identifier: BSD-2-Clause */
/* account.h - checks a log, and makes a statement of any period from it. Reads only. */
#ifndef CACHEWARDEN_ACCOUNT_H
#define CACHEWARDEN_ACCOUNT_H

#include "attest/ledger.h"
#include "attest/statement.h"
#include "evidence/verify.h"

struct account {
	/* asked for */
	int64_t from, to;     /* LEDGER_FIRST: the first entry; LEDGER_OPEN: the last one */
	const char *instance; /* NULL: all */
	/* found */
	struct reader reader; /* its error, too; the log as of its checkpoint */
	struct verified verified;
	struct ledger *ledger;
	json_t *sum;
	uint64_t statements, first,
		last; /* of the log's own, those that overlap: how many; their numbers */
};

/*
 * Returns 0; -EBADMSG if the log does not verify; -ENOENT if there is no such server, with the names of those that there are in
 * reader.error; or another negative errno. Free it in all cases.
 */
int account_make(struct account *a, const char *dir);
void account_free(struct account *a);

/* The statement, new; NULL if memory ran out. */
json_t *account_statement(const struct account *a);

#endif
