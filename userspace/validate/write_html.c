// SPDX-License-Identifier: BSD-2-Clause
/* write_html.c - a verdict as one page for people: no script, nothing loaded from elsewhere, readable on paper. */
#include "validate/write.h"

#include <inttypes.h>

static const char style[] =
	":root{color-scheme:light dark;--ok:#1a7f37;--bad:#c4221a;--open:#8a6100}"
	"@media(prefers-color-scheme:dark){:root{--ok:#4ac26b;--bad:#ff7b72;--open:#d9a520}}"
	"body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
	"h1{font-size:1.5rem;margin-bottom:.25rem}h2{font-size:1.15rem;margin-top:2rem}"
	".pass{--c:var(--ok)}.fail{--c:var(--bad)}.skip{--c:var(--open)}"
	".v{color:var(--c);font-weight:600;white-space:nowrap}"
	".m{display:grid;grid-template-columns:repeat(auto-fill,minmax(12.5rem,1fr));gap:.25rem;padding:0}"
	".m li{list-style:none;border-left:.4rem solid var(--c);padding:.1rem .5rem;overflow-wrap:anywhere}"
	".m a{color:inherit}article{border-left:.4rem solid var(--c);padding:.1rem 1rem;margin:1rem 0;"
	"break-inside:avoid}"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.5rem 0}"
	"dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere}"
	"table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;vertical-align:top;"
	"padding:.25rem .5rem;border-bottom:1px solid #8885;overflow-wrap:anywhere}td.v{white-space:normal;min-width:6rem}"
	"th{overflow-wrap:normal}tr{break-inside:avoid}"
	"@media(max-width:30rem){dl{grid-template-columns:1fr}dt{margin-top:.4rem}}"
	"@media print{body{margin:0;max-width:none}}";

static const char *class_of(enum verdict_sum s)
{
	return s == VERDICT_KEPT ? "pass" : s == VERDICT_BROKEN ? "fail" : "skip";
}

static void put_entry(FILE *out, const char *term, const char *text)
{
	fprintf(out, "<dt>%s</dt><dd>", term);
	write_escaped(out, text);
	fprintf(out, "</dd>");
}

/* Colour is not all that tells them apart: each has a sign. */
static const char *sign_of(enum check_verdict v)
{
	return v == CHECK_PASS ? "&#10003;" : v == CHECK_FAIL ? "&#10007;" : "?";
}

static void put_matrix(const struct verdict_report *r, FILE *out)
{
	for (size_t i = 0; i < r->profile->promises; i++) {
		const struct profile_promise *p = &r->profile->promise[i];
		enum verdict_sum s = verdict_of_promise(r, p);

		if (!verdict_has(r, p))
			continue;
		fprintf(out, "<h2 class=\"%s\">", class_of(s));
		write_escaped(out, p->promise);
		fprintf(out, ": <span class=\"v\">%s</span></h2>\n<ul class=\"m\">\n",
			verdict_sum_name(s));
		for (size_t k = 0; k < r->rows; k++) {
			const struct verdict_row *row = &r->row[k];
			const char *id = row->check->id;

			if (row->promise == p)
				fprintf(out,
					"<li class=\"%s\"><span class=\"v\">%s</span> <a href=\"#%s\">%s</a></li>\n",
					check_verdict_name(row->outcome.verdict),
					sign_of(row->outcome.verdict), id, id);
		}
		fprintf(out, "</ul>\n");
	}
}

static void put_row(const struct verdict_row *row, FILE *out)
{
	const struct check *c = row->check;
	const char *verdict = check_verdict_name(row->outcome.verdict);

	fprintf(out,
		"<article id=\"%s\" class=\"%s\"><h3>%s: <span class=\"v\">%s</span></h3>\n<dl>",
		c->id, verdict, c->id, verdict);
	put_entry(out, "guarantee", c->guarantee);
	put_entry(out, "tried", c->tried);
	put_entry(out, "expected", c->expected);
	put_entry(out, row->outcome.verdict == CHECK_SKIP ? "reason" : "seen", row->outcome.seen);
	if (row->outcome.verdict == CHECK_FAIL)
		put_entry(out, "mend", c->mend);
	if (row->before)
		put_entry(out, "before", row->before);
	fprintf(out, "</dl></article>\n");
}

static void put_option(FILE *out, const char *names, const char *what)
{
	fprintf(out, "<tr><td>%s<td>", names);
	write_escaped(out, what);
	fprintf(out, "</tr>\n");
}

/* Which of the server's options the decoy had, and what it never has. */
static void put_options(const struct options *o, FILE *out)
{
	fprintf(out, "<h3>Options of the decoy</h3>\n<p>");
	if (o->used) {
		fprintf(out, "%zu of the server's, by %s. ", option_count(o), o->from);
		write_escaped(out, o->why);
	} else {
		fprintf(out, "None of the server's, but permissive ones of its own: ");
		write_escaped(out, option_unused(o));
	}
	fprintf(out,
		"</p>\n<table><tr><th>option<th>value of the server, or why it is not taken</tr>\n");
	for (size_t id = 0; id < OPTION_MAX; id++) {
		if (o->used && o->state[id] == OPTION_TAKEN)
			put_option(out, option_name(id), o->value[id]);
		else if (o->state[id] == OPTION_REFUSED)
			put_option(out, option_name(id), OPTION_REFUSED_WHY);
	}
	for (size_t i = 0; i < option_left_count; i++)
		put_option(out, option_left[i].names, option_left[i].why);
	fprintf(out, "</table>\n");
}

/* What each drill shows and how soon it was seen, and by whose monitor. */
static void put_drills(const struct verdict_report *r, FILE *out)
{
	const struct facts *f = r->facts;

	if (!f->drilled)
		return;
	fprintf(out, "<h2>Drills on %s</h2>\n<p>Reported by ",
		f->drilled_live ? "the server itself" : "a decoy");
	write_escaped(out, f->drilled_by[0] ? f->drilled_by : "nobody");
	fprintf(out, ".</p>\n<table><tr><th>guarantee<th>drill<th>seen</tr>\n");
	for (size_t i = 0; i < r->rows; i++) {
		const struct verdict_row *row = &r->row[i];

		if (row->check->when != CHECK_DRILLED)
			continue;
		fprintf(out, "<tr class=\"%s\"><td>%s<td>%s<td class=\"v\">%s ",
			check_verdict_name(row->outcome.verdict), row->check->guarantee,
			row->check->tried, sign_of(row->outcome.verdict));
		write_escaped(out, row->outcome.seen);
		fprintf(out, "</tr>\n");
	}
	fprintf(out, "</table>\n");
	if (!f->drilled_live)
		put_options(&f->config.options, out);
}

void write_html(const struct verdict_report *r, FILE *out)
{
	static const enum check_verdict order[] = {CHECK_FAIL, CHECK_SKIP, CHECK_PASS};

	fprintf(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
		     "<title>cachewarden validate: ");
	write_escaped(out, r->facts->name);
	fprintf(out, "</title><style>%s</style></head><body>\n<h1 class=\"%s\">", style,
		class_of(r->sum));
	write_escaped(out, r->facts->name);
	fprintf(out,
		": <span class=\"v\">%s</span></h1>\n<p>Profile %s, %s. %zu passed, %zu failed, %zu could not be judged.</p>\n",
		verdict_sum_name(r->sum), r->profile->name, r->time, r->count[CHECK_PASS],
		r->count[CHECK_FAIL], r->count[CHECK_SKIP]);
	put_matrix(r, out);
	put_drills(r, out);
	fprintf(out, "<h2>Checks</h2>\n");
	for (size_t v = 0; v < sizeof(order) / sizeof(order[0]); v++) {
		for (size_t i = 0; i < r->rows; i++) {
			if (r->row[i].outcome.verdict == order[v])
				put_row(&r->row[i], out);
		}
	}
	fprintf(out, "</body></html>\n");
}
