// SPDX-License-Identifier: BSD-2-Clause
/* write.c - see write.h. The text names what is broken first: it is read in a hurry. */
#include "validate/write.h"

#include "base/macros.h"

#include <inttypes.h>
#include <string.h>

const struct write_format write_formats[] = {{"text", write_text},
					     {"json", write_json},
					     {"junit", write_junit},
					     {"sarif", write_sarif},
					     {"html", write_html}};
const size_t write_format_count = ARRAY_SIZE(write_formats);

void write_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else if ((unsigned char)*text < 0x20)
			fputc(' ', out);
		else
			fputc(*text, out);
	}
}

/* For a terminal: paths are anybody's. */
static void write_printable(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc(*text < 0x20 || *text > 0x7e ? '?' : *text, out);
}

static void write_promises(const struct verdict_report *r, FILE *out)
{
	for (size_t i = 0; i < r->profile->promises; i++) {
		const struct profile_promise *p = &r->profile->promise[i];

		if (!verdict_has(r, p))
			continue;
		fprintf(out, "  %-16s %s\n", verdict_sum_name(verdict_of_promise(r, p)),
			p->promise);
	}
}

static void write_row(const struct verdict_row *row, FILE *out)
{
	const struct check *c = row->check;
	bool skipped = row->outcome.verdict == CHECK_SKIP;

	fprintf(out, "\n%s  %s: %s%s%s%s\n", skipped ? "SKIP" : "FAIL", c->id, c->guarantee,
		row->before ? " (before: " : "", row->before ?: "", row->before ? ")" : "");
	fprintf(out, "      tried     %s\n      expected  %s\n      %s  %s\n", c->tried,
		c->expected, skipped ? "reason  " : "seen    ", row->outcome.seen);
	if (!skipped)
		fprintf(out, "      mend      %s\n", c->mend);
}

/* Which of the server's options the decoy had, and what it never has. */
static void write_options(const struct options *o, FILE *out)
{
	fprintf(out, "Options that the decoy has of the server's: ");
	if (!o->used) {
		fprintf(out, "none, but permissive ones of its own: ");
		write_printable(out, option_unused(o));
	} else {
		fprintf(out, "%zu, by %s", option_count(o), o->from);
		if (o->why[0]) {
			fprintf(out, "; ");
			write_printable(out, o->why);
		}
	}
	fputc('\n', out);
	for (size_t id = 0; id < OPTION_MAX; id++) {
		if (o->used && o->state[id] == OPTION_TAKEN)
			fprintf(out, "  %s \"%s\"\n", option_name(id), o->value[id]);
	}
	for (size_t id = 0; id < OPTION_MAX; id++) {
		if (o->state[id] == OPTION_REFUSED)
			fprintf(out, "Not taken: %s: " OPTION_REFUSED_WHY "\n", option_name(id));
	}
	for (size_t i = 0; i < option_left_count; i++)
		fprintf(out, "Not taken: %s: %s\n", option_left[i].names, option_left[i].why);
	fputc('\n', out);
}

/* Who had to report the drills; what each shows, and how soon it was seen. */
static void write_drilled(const struct verdict_report *r, FILE *out)
{
	const struct facts *f = r->facts;

	fprintf(out, "\nDrills on %s, reported by %s:\n\n",
		f->drilled_live ? "the server itself" : "a decoy",
		f->drilled_by[0] ? f->drilled_by : "nobody");
	if (!f->drilled_live)
		write_options(&f->config.options, out);
	for (size_t i = 0; i < r->rows; i++) {
		const struct verdict_row *row = &r->row[i];

		if (row->check->when == CHECK_DRILLED)
			fprintf(out, "%-4s  %-20s %-60s %s\n",
				check_verdict_name(row->outcome.verdict), row->check->id,
				row->check->guarantee, row->outcome.seen);
	}
}

void write_text(const struct verdict_report *r, FILE *out)
{
	const struct facts *f = r->facts;

	write_printable(out, f->name);
	fprintf(out, " (pid %d, ", (int)f->pid);
	write_printable(out, f->exe[0] ? f->exe : "executable unknown");
	fprintf(out, "), profile %s: %s\n\n", r->profile->name, verdict_sum_name(r->sum));
	write_promises(r, out);
	for (size_t i = 0; i < r->rows; i++) {
		if (r->row[i].outcome.verdict == CHECK_FAIL)
			write_row(&r->row[i], out);
	}
	for (size_t i = 0; i < r->rows; i++) {
		if (r->row[i].outcome.verdict == CHECK_SKIP)
			write_row(&r->row[i], out);
	}
	if (f->drilled)
		write_drilled(r, out);
	fputc('\n', out);
	for (size_t i = 0; i < r->rows; i++) {
		const struct verdict_row *row = &r->row[i];

		if (row->outcome.verdict == CHECK_PASS && row->check->when != CHECK_DRILLED)
			fprintf(out, "pass  %-20s %s%s%s%s\n", row->check->id, row->outcome.seen,
				row->before ? " (before: " : "", row->before ?: "",
				row->before ? ")" : "");
	}
	fprintf(out,
		"\n%zu passed, %zu failed, %zu could not be judged, in %" PRId64 ".%" PRId64 " s\n",
		r->count[CHECK_PASS], r->count[CHECK_FAIL], r->count[CHECK_SKIP], r->took_ms / 1000,
		r->took_ms % 1000 / 100);
}

/* --- JUnit XML, as Jenkins and GitLab read it --- */

static void write_case(const struct verdict_report *r, const struct verdict_row *row, FILE *out)
{
	const struct check *c = row->check;
	enum check_verdict v = row->outcome.verdict;

	fprintf(out, "    <testcase classname=\"");
	write_escaped(out, r->facts->name);
	fprintf(out, "\" name=\"%s\" time=\"0\"", c->id);
	if (v == CHECK_PASS) {
		fprintf(out, "/>\n");
		return;
	}
	fprintf(out, ">\n      <%s message=\"", v == CHECK_FAIL ? "failure" : "skipped");
	write_escaped(out, row->outcome.seen);
	if (v == CHECK_SKIP) {
		fprintf(out, "\"/>\n    </testcase>\n");
		return;
	}
	fprintf(out, "\" type=\"%s\">guarantee: ", c->id);
	write_escaped(out, c->guarantee);
	fprintf(out, "\ntried: ");
	write_escaped(out, c->tried);
	fprintf(out, "\nexpected: ");
	write_escaped(out, c->expected);
	fprintf(out, "\nseen: ");
	write_escaped(out, row->outcome.seen);
	fprintf(out, "\nmend: ");
	write_escaped(out, c->mend);
	fprintf(out, "</failure>\n    </testcase>\n");
}

void write_junit(const struct verdict_report *r, FILE *out)
{
	double seconds = (double)r->took_ms / 1000;

	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"cachewarden validate\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" "
		"time=\"%.3f\">\n",
		r->rows, r->count[CHECK_FAIL], seconds);
	for (size_t i = 0; i < r->profile->promises; i++) {
		const struct profile_promise *p = &r->profile->promise[i];
		size_t count[CHECK_VERDICT_MAX] = {}, tests = 0;

		if (!verdict_has(r, p))
			continue;
		for (size_t k = 0; k < r->rows; k++) {
			count[r->row[k].outcome.verdict] += r->row[k].promise == p;
			tests += r->row[k].promise == p;
		}
		fprintf(out, "  <testsuite name=\"");
		write_escaped(out, p->promise);
		fprintf(out,
			"\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"0\" timestamp=\"%s\">\n",
			tests, count[CHECK_FAIL], count[CHECK_SKIP], r->time);
		for (size_t k = 0; k < r->rows; k++) {
			if (r->row[k].promise == p)
				write_case(r, &r->row[k], out);
		}
		fprintf(out, "  </testsuite>\n");
	}
	fprintf(out, "</testsuites>\n");
}
