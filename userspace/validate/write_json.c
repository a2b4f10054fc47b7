// SPDX-License-Identifier: BSD-2-Clause
/* write_json.c - a verdict as JSON, whose member names are stable, and as SARIF 2.1.0 (OASIS). */
#include "validate/write.h"

#include "base/jsonw.h"

#include <string.h>

static void finish(struct jsonw *j, FILE *out)
{
	const char *text;
	size_t len;

	text = jsonw_done(j, &len);
	if (text)
		fwrite(text, 1, len, out);
	jsonw_free(j);
}

static void put_check(struct jsonw *j, const struct verdict_row *row)
{
	const struct check *c = row->check;

	jsonw_object(j, NULL);
	jsonw_string(j, "id", c->id);
	jsonw_string(j, "promise", row->promise->promise);
	jsonw_string(j, "guarantee", c->guarantee);
	jsonw_string(j, "tried", c->tried);
	jsonw_string(j, "expected", c->expected);
	jsonw_string(j, "seen", row->outcome.seen);
	jsonw_string(j, "verdict", check_verdict_name(row->outcome.verdict));
	jsonw_string(j, "mend", c->mend);
	jsonw_string(j, "before", row->before);
	jsonw_end_object(j);
}

/* null: there were no drills. */
static void put_left(struct jsonw *j, const char *names, const char *why)
{
	jsonw_object(j, NULL);
	jsonw_string(j, "names", names);
	jsonw_string(j, "why", why);
	jsonw_end_object(j);
}

/* Which of the server's options the decoy had, and what it never has. */
static void put_options(struct jsonw *j, const struct options *o)
{
	jsonw_object(j, "options");
	jsonw_text(j, "from", o->used ? o->from : NULL);
	jsonw_text(j, "note", o->used ? o->why : option_unused(o));
	jsonw_object(j, "taken");
	for (size_t id = 0; id < OPTION_MAX; id++) {
		if (o->used && o->state[id] == OPTION_TAKEN)
			jsonw_string(j, option_name(id), o->value[id]);
	}
	jsonw_end_object(j);
	jsonw_array(j, "not_taken");
	for (size_t id = 0; id < OPTION_MAX; id++) {
		if (o->state[id] == OPTION_REFUSED)
			put_left(j, option_name(id), OPTION_REFUSED_WHY);
	}
	for (size_t i = 0; i < option_left_count; i++)
		put_left(j, option_left[i].names, option_left[i].why);
	jsonw_end_array(j);
	jsonw_end_object(j);
}

static void put_drilled(struct jsonw *j, const struct facts *f)
{
	if (!f->drilled) {
		jsonw_null(j, "drills");
		return;
	}
	jsonw_object(j, "drills");
	jsonw_string(j, "on", f->drilled_live ? "server" : "decoy");
	jsonw_text(j, "monitor", f->drilled_by);
	jsonw_text(j, "interrupted", f->interrupted);
	if (f->drilled_live)
		jsonw_null(j, "options");
	else
		put_options(j, &f->config.options);
	jsonw_end_object(j);
}

void write_json(const struct verdict_report *r, FILE *out)
{
	const struct facts *f = r->facts;
	struct jsonw j = {};

	jsonw_object(&j, NULL);
	jsonw_string(&j, "version", CACHEWARDEN_VERSION);
	jsonw_string(&j, "time", r->time);
	jsonw_string(&j, "profile", r->profile->name);
	jsonw_object(&j, "instance");
	jsonw_string(&j, "name", f->name);
	jsonw_int(&j, "pid", f->pid);
	jsonw_text(&j, "exe", f->exe);
	jsonw_end_object(&j);
	jsonw_string(&j, "verdict", verdict_sum_name(r->sum));
	jsonw_int(&j, "passed", (int64_t)r->count[CHECK_PASS]);
	jsonw_int(&j, "failed", (int64_t)r->count[CHECK_FAIL]);
	jsonw_int(&j, "skipped", (int64_t)r->count[CHECK_SKIP]);
	jsonw_int(&j, "took_ms", r->took_ms);
	jsonw_string(&j, "baseline", r->baseline);
	put_drilled(&j, f);
	jsonw_array(&j, "promises");
	for (size_t i = 0; i < r->profile->promises; i++) {
		const struct profile_promise *p = &r->profile->promise[i];

		if (!verdict_has(r, p))
			continue;
		jsonw_object(&j, NULL);
		jsonw_string(&j, "promise", p->promise);
		jsonw_string(&j, "verdict", verdict_sum_name(verdict_of_promise(r, p)));
		jsonw_end_object(&j);
	}
	jsonw_end_array(&j);
	jsonw_array(&j, "checks");
	for (size_t i = 0; i < r->rows; i++)
		put_check(&j, &r->row[i]);
	jsonw_end_array(&j);
	jsonw_end_object(&j);
	finish(&j, out);
}

/* --- SARIF --- */

static void put_text(struct jsonw *j, const char *key, const char *text)
{
	jsonw_object(j, key);
	jsonw_string(j, "text", text);
	jsonw_end_object(j);
}

static void put_rule(struct jsonw *j, const struct check *c)
{
	jsonw_object(j, NULL);
	jsonw_string(j, "id", c->id);
	put_text(j, "shortDescription", c->guarantee);
	put_text(j, "fullDescription", c->expected);
	put_text(j, "help", c->mend);
	jsonw_end_object(j);
}

/* A check that could not be judged is "open": SARIF 2.1.0 §3.27.9. */
static void put_result(struct jsonw *j, const struct verdict_report *r, size_t i)
{
	static const char *const kinds[] = {
		[CHECK_PASS] = "pass", [CHECK_FAIL] = "fail", [CHECK_SKIP] = "open"};
	const struct verdict_row *row = &r->row[i];
	enum check_verdict v = row->outcome.verdict;
	char text[2 * CHECK_SEEN];

	snprintf(text, sizeof(text), "%s. Expected: %s. Seen: %s", row->check->guarantee,
		 row->check->expected, row->outcome.seen);
	jsonw_object(j, NULL);
	jsonw_string(j, "ruleId", row->check->id);
	jsonw_int(j, "ruleIndex", (int64_t)i);
	jsonw_string(j, "kind", kinds[v]);
	jsonw_string(j, "level", v == CHECK_FAIL ? "error" : "none");
	put_text(j, "message", text);
	jsonw_array(j, "locations");
	jsonw_object(j, NULL);
	jsonw_array(j, "logicalLocations");
	jsonw_object(j, NULL);
	jsonw_string(j, "name", r->facts->name);
	jsonw_string(j, "kind", "resource");
	jsonw_end_object(j);
	jsonw_end_array(j);
	jsonw_end_object(j);
	jsonw_end_array(j);
	jsonw_end_object(j);
}

void write_sarif(const struct verdict_report *r, FILE *out)
{
	struct jsonw j = {};

	jsonw_object(&j, NULL);
	jsonw_string(&j, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	jsonw_string(&j, "version", "2.1.0");
	jsonw_array(&j, "runs");
	jsonw_object(&j, NULL);
	jsonw_object(&j, "tool");
	jsonw_object(&j, "driver");
	jsonw_string(&j, "name", "cachewarden");
	jsonw_string(&j, "semanticVersion", CACHEWARDEN_VERSION);
	jsonw_array(&j, "rules");
	for (size_t i = 0; i < r->rows; i++)
		put_rule(&j, r->row[i].check);
	jsonw_end_array(&j);
	jsonw_end_object(&j);
	jsonw_end_object(&j);
	jsonw_array(&j, "results");
	for (size_t i = 0; i < r->rows; i++)
		put_result(&j, r, i);
	jsonw_end_array(&j);
	jsonw_end_object(&j);
	jsonw_end_array(&j);
	jsonw_end_object(&j);
	finish(&j, out);
}
