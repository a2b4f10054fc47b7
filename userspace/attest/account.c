// SPDX-License-Identifier: BSD-2-Clause
/* account.c - see account.h. */
#include "attest/account.h"

#include "evidence/entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note_statement(struct account *a, const char *entry, size_t len)
{
	json_t *v = chain_statement(entry, len), *p = json_object_get(v, "predicate");
	json_t *period = json_object_get(p, "period");
	int64_t from = json_integer_value(json_object_get(period, "from"));
	int64_t to = json_integer_value(json_object_get(period, "to"));

	if (period && to > a->from && from < a->to) {
		a->last = (uint64_t)json_integer_value(json_object_get(p, "number"));
		if (!a->statements++)
			a->first = a->last;
	}
	json_decref(v);
}

static int take(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct account *a = ctx;

	if (at->index >= a->verified.size) /* not signed yet */
		return 1;
	ledger_entry(a->ledger, entry, len);
	if (entry_is(entry, len, "statement"))
		note_statement(a, entry, len);
	return 0;
}

/* Which names there are, for whoever mistyped one. */
static int no_server(struct account *a)
{
	json_t *all = ledger_sum(a->ledger, a->to, NULL), *rows = json_object_get(all, "servers");
	size_t n;
	FILE *f = fmemopen(a->reader.error, sizeof(a->reader.error), "w");

	if (!f)
		return -ENOMEM;
	fprintf(f, "the log knows no server '%.100s' in that time; it knows:", a->instance);
	for (n = 0; n < json_array_size(rows) && n < 5; n++)
		fprintf(f, " %.60s",
			json_string_value(json_object_get(json_array_get(rows, n), "name")));
	fprintf(f, "%s", !n ? " none" : n < json_array_size(rows) ? " ..." : "");
	fclose(f);
	a->reader.error[sizeof(a->reader.error) - 1] = '\0';
	json_decref(all);
	return -ENOENT;
}

static void add_own_statements(struct account *a)
{
	json_object_set_new(a->sum, "statements",
			    json_pack("{s:I,s:I,s:I}", "count", (json_int_t)a->statements, "first",
				      (json_int_t)a->first, "last", (json_int_t)a->last));
}

int account_make(struct account *a, const char *dir)
{
	int err = verify(&a->reader, dir, NULL, NULL, &a->verified);

	if (err)
		return err;
	a->ledger = ledger_new(a->from, a->to, true);
	err = a->ledger ? reader_each(&a->reader, 0, take, a, NULL) : -ENOMEM;
	if (err)
		return err;
	a->from = ledger_from(a->ledger);
	if (a->to == LEDGER_OPEN)
		a->to = ledger_last(a->ledger);
	a->sum = ledger_sum(a->ledger, a->to, a->instance);
	if (!a->sum)
		return -ENOMEM;
	if (a->instance && !json_array_size(json_object_get(a->sum, "servers")))
		return no_server(a);
	add_own_statements(a);
	return 0;
}

json_t *account_statement(const struct account *a)
{
	struct checkpoint log = a->reader.checkpoint;
	const struct statement s = {.from = a->from, .to = a->to, .log = &log, .part = 1};

	return statement_new(&s, a->sum, json_object_get(a->sum, "servers"));
}

void account_free(struct account *a)
{
	json_decref(a->sum);
	ledger_free(a->ledger);
	reader_close(&a->reader);
}
