// SPDX-License-Identifier: BSD-2-Clause
/* baseline.c - see baseline.h. */
#include "validate/baseline.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* The verdict of a check in an earlier report, as this one names verdicts; NULL: it was not made. */
static const char *find(json_t *made, const char *id)
{
	json_t *one;
	size_t i;

	json_array_foreach (made, i, one) {
		const char *was = json_string_value(json_object_get(one, "verdict"));
		const char *name = json_string_value(json_object_get(one, "id"));

		if (!was || !name || strcmp(name, id) != 0)
			continue;
		for (enum check_verdict v = 0; v < CHECK_VERDICT_MAX; v++) {
			if (!strcmp(was, check_verdict_name(v)))
				return check_verdict_name(v);
		}
	}
	return NULL;
}

bool baseline_compare(struct verdict_report *r, const char *file, char *error, size_t size)
{
	json_error_t wrong;
	json_t *before = json_load_file(file, 0, &wrong), *made = json_object_get(before, "checks");

	if (!before)
		snprintf(error, size, "%s:%d: %s; expected a report of --format json", file,
			 wrong.line, wrong.text);
	else if (!json_is_array(made))
		snprintf(error, size, "%s: no report of `cachewarden validate --format json`",
			 file);
	for (size_t i = 0; i < r->rows && json_is_array(made); i++) {
		const char *was = find(made, r->row[i].check->id);

		if (was && strcmp(was, check_verdict_name(r->row[i].outcome.verdict)) != 0)
			r->row[i].before = was;
	}
	r->baseline = file;
	if (!json_is_array(made))
		r->baseline = NULL;
	json_decref(before);
	return r->baseline;
}
