// SPDX-License-Identifier: BSD-2-Clause
/* verdict.c - see verdict.h. */
#include "validate/verdict.h"

#include <stddef.h>

static const char *const sums[] = {
	[VERDICT_KEPT] = "kept", [VERDICT_BROKEN] = "broken", [VERDICT_UNSURE] = "could not judge"};
_Static_assert(sizeof(sums) / sizeof(sums[0]) == VERDICT_SUM_MAX, "every sum has a name");

const char *verdict_sum_name(enum verdict_sum s)
{
	return s < VERDICT_SUM_MAX ? sums[s] : "?";
}

static enum verdict_sum sum_of(const size_t count[CHECK_VERDICT_MAX])
{
	return count[CHECK_FAIL]   ? VERDICT_BROKEN
	       : count[CHECK_SKIP] ? VERDICT_UNSURE
				   : VERDICT_KEPT;
}

/* Names of processes and files are anybody's, and reach terminals and CI servers. */
static void make_printable(char *text)
{
	for (; *text; text++) {
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
	}
}

static void make(struct verdict_report *r, const struct check *c, const struct profile_promise *p)
{
	struct verdict_row *row = &r->row[r->rows++];

	*row = (struct verdict_row){.check = c, .promise = p};
	c->judge(r->facts, r->profile, &row->outcome);
	make_printable(row->outcome.seen);
	r->count[row->outcome.verdict]++;
}

void verdict_reach(struct verdict_report *r, const struct facts *f, const struct profile *p)
{
	*r = (struct verdict_report){.facts = f, .profile = p};
	for (size_t i = 0; i < p->promises; i++) {
		for (size_t k = 0; k < p->promise[i].checks && r->rows < CHECK_MAX; k++)
			make(r, check_find(p->promise[i].check[k]), &p->promise[i]);
	}
	r->sum = sum_of(r->count);
}

enum verdict_sum verdict_of_promise(const struct verdict_report *r, const struct profile_promise *p)
{
	size_t count[CHECK_VERDICT_MAX] = {};

	for (size_t i = 0; i < r->rows; i++) {
		if (r->row[i].promise == p)
			count[r->row[i].outcome.verdict]++;
	}
	return sum_of(count);
}
