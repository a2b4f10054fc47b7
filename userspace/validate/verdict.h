/* SPDX-License-Identifier: BSD-2-Clause */
/* verdict.h - the verdict on one server: an outcome for each check of a profile. Pure. */
#ifndef CACHEWARDEN_VERDICT_H
#define CACHEWARDEN_VERDICT_H

#include "base/clock.h"
#include "validate/check.h"

struct verdict_row {
	const struct check *check;
	const struct profile_promise *promise;
	struct outcome outcome;
	const char
		*before; /* its verdict in the baseline if that was another one; NULL: it was not */
};

enum verdict_sum {
	VERDICT_KEPT,	/* all checks passed */
	VERDICT_BROKEN, /* one failed */
	VERDICT_UNSURE, /* none failed, but one could not be judged */
	VERDICT_SUM_MAX,
};

struct verdict_report {
	const struct facts *facts;
	const struct profile *profile;
	struct verdict_row row[CHECK_MAX];
	size_t rows;
	size_t count[CHECK_VERDICT_MAX];
	enum verdict_sum sum;
	char time[CLOCK_UTC_LEN];
	int64_t took_ms;
	const char *baseline; /* its file; NULL: none */
};

/*
 * Make all checks of the profile, but for those that need a monitor or drills that were not asked for. Nothing tried is no promise
 * kept: without any check the verdict is VERDICT_UNSURE. Whatever was seen is printable ASCII afterwards.
 */
void verdict_reach(struct verdict_report *r, const struct facts *f, const struct profile *p);

/* Was any check of it made? */
bool verdict_has(const struct verdict_report *r, const struct profile_promise *p);

/* Of the checks of one promise that has some. */
enum verdict_sum verdict_of_promise(const struct verdict_report *r,
				    const struct profile_promise *p);

/* "kept", "broken", "could not judge" */
const char *verdict_sum_name(enum verdict_sum s);

#endif
