// SPDX-License-Identifier: BSD-2-Clause
/* report_html.c - see report_html.h. The parts that need the statement only are in page.c. */
#include "attest/report_html.h"

#include "attest/actors.h"
#include "attest/html.h"
#include "attest/page.h"
#include "attest/timeline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LANES_MAX 40
#define ITEMS_MAX 300
#define CONNS_MAX_SHOWN 100

/* A line in the drawing. */
struct lane {
	int64_t from, to;
	const char *severity;
	char text[320];
};

struct report {
	FILE *f;
	const struct casefile *c;
	json_t *p;	  /* the statement's predicate */
	json_t *incident; /* the last report of it; NULL: the page is about everything */
	json_t *actions;  /* of that report, which may be in several entries */
	json_t *kept;	  /* entries, so that their texts stay */
	struct lane lane[LANES_MAX];
	size_t lanes, lanes_left_out;
	int64_t from, to; /* of the drawing */
};

static json_t *own_of(json_t *record)
{
	return json_object_get(json_object_get(record, "unmapped"), "cachewarden");
}

static const char *kind_of(json_t *entry)
{
	return page_text(entry, "kind");
}

/* --- collect --- */

static void take_incident(struct report *r, json_t *entry)
{
	json_t *record = json_object_get(entry, "record");
	json_t *all = json_object_get(own_of(record), "events");

	if (page_int(entry, "part", NULL) < 2)
		json_array_clear(r->actions);
	r->incident = record;
	for (size_t i = 0; i < json_array_size(all); i++)
		json_array_append(r->actions, json_array_get(all, i));
}

static struct lane *add_lane(struct report *r)
{
	if (r->lanes < LANES_MAX)
		return &r->lane[r->lanes++];
	r->lanes_left_out++;
	return NULL;
}

static void lanes_of_actions(struct report *r)
{
	for (size_t i = 0; i < json_array_size(r->actions); i++) {
		json_t *a = json_array_get(r->actions, i), *by = json_object_get(a, "actor");
		struct lane *l = add_lane(r);

		if (!l)
			continue;
		l->from = page_int(a, "first", NULL);
		l->to = page_int(a, "last", NULL);
		l->severity = page_text(a, "severity");
		snprintf(l->text, sizeof(l->text), "%.200s, ×%" PRId64 "%s%.40s",
			 page_text(a, "what"), page_int(a, "count", NULL),
			 json_is_object(by) ? ", by " : "", page_text(by, "comm"));
	}
}

static void lanes_of_incidents(struct report *r)
{
	json_t *all = json_object_get(r->p, "incidents"), *v;
	const char *uid;

	json_object_foreach (all, uid, v) {
		struct lane *l = add_lane(r);

		if (!l)
			continue;
		l->from = page_int(v, "from", NULL);
		l->to = page_int(v, "to", NULL);
		l->severity = page_text(v, "severity");
		snprintf(l->text, sizeof(l->text), "%.280s", page_text(v, "message"));
	}
}

static int collect(struct report *r)
{
	r->kept = json_array();
	r->actions = json_array();
	if (!r->kept || !r->actions)
		return -ENOMEM;
	for (size_t i = 0; i < r->c->count; i++) {
		json_t *v = json_loadb(r->c->all[i].entry, r->c->all[i].len, 0, NULL);

		if (!v)
			return -EBADMSG;
		json_array_append_new(r->kept, v);
		if (r->c->incident && !strcmp(kind_of(v), "incident"))
			take_incident(r, v);
	}
	if (r->incident)
		lanes_of_actions(r);
	else
		lanes_of_incidents(r);
	r->from = r->incident ? page_int(r->incident, "start_time", NULL) : r->c->a.from;
	r->to = r->incident ? page_int(r->incident, "end_time", NULL) : r->c->a.to;
	return 0;
}

/* --- verdict --- */

static void put_incident_verdict(const struct report *r)
{
	json_t *own = own_of(r->incident), *rules = json_object_get(own, "rules"), *v;
	json_t *advice = json_object_get(r->incident, "remediation");
	const char *severity = page_text(own, "severity"),
		   *closed = page_text(own, "closed_because");
	const char *rule;
	bool worse = !strcmp(severity, "high") || !strcmp(severity, "critical"), any = false;

	fprintf(r->f, "<div class=\"verdict %s\"><b>", worse ? "bad" : "warn");
	html_put(r->f, "Severity %s: %s", severity, page_text(r->incident, "message"));
	fputs("</b><p>", r->f);
	json_object_foreach (rules, rule, v) {
		html_put(r->f, "%s%s ×%" PRId64, any ? ", " : "Rules broken: ", rule,
			 (int64_t)json_integer_value(v));
		any = true;
	}
	html_put(r->f, ". From ");
	page_time(r->f, page_int(r->incident, "start_time", NULL));
	fputs(" to ", r->f);
	page_time(r->f, page_int(r->incident, "end_time", NULL));
	html_put(r->f, " UTC.%s%s", closed[0] ? " Closed: " : " Still open in this log.", closed);
	fputs("</p>", r->f);
	if (page_text(own, "who")[0]) {
		fputs("<p>By ", r->f);
		html_text(r->f, page_text(own, "who"));
		fputs("</p>", r->f);
	}
	if (page_text(advice, "desc")[0]) {
		fputs("<p><i>", r->f);
		html_text(r->f, page_text(advice, "desc"));
		fputs("</i></p>", r->f);
	}
	fputs("</div>\n", r->f);
}

/* --- the drawing --- */

static double place(const struct report *r, int64_t t)
{
	double all = (double)(r->to - r->from);
	double at = all > 0 ? (double)(t - r->from) / all : 0;

	return 5 + 92 * (at < 0 ? 0 : at > 1 ? 1 : at);
}

static const char *colour(const char *severity)
{
	if (!strcmp(severity, "critical") || !strcmp(severity, "high"))
		return "#b42318";
	return strcmp(severity, "medium") ? "#59636e" : "#9a6700";
}

static void put_gaps(const struct report *r, unsigned int height)
{
	json_t *gaps = json_object_get(json_object_get(r->p, "coverage"), "gaps");

	for (size_t i = 0; i < json_array_size(gaps); i++) {
		double from = place(r, page_int(json_array_get(gaps, i), "from", NULL));
		double to = place(r, page_int(json_array_get(gaps, i), "to", NULL));

		fprintf(r->f,
			"<rect x=\"%.2f%%\" y=\"0\" width=\"%.2f%%\" height=\"%u\" fill=\"#f3d0cc\"/>\n",
			from, to - from > 0.1 ? to - from : 0.1, height);
	}
}

/* Widths are in percent and heights in pixels, so that numbers stay readable on any screen. */
static void put_drawing(const struct report *r)
{
	unsigned int height = (unsigned int)r->lanes * 20 + 12;

	fprintf(r->f,
		"<svg height=\"%u\" style=\"height:%upx\" role=\"img\" aria-label=\"Timeline\">\n",
		height + 4, height + 4);
	put_gaps(r, height);
	fprintf(r->f, "<line x1=\"5%%\" y1=\"%u\" x2=\"97%%\" y2=\"%u\" stroke=\"#59636e\"/>\n",
		height, height);
	for (size_t i = 0; i < r->lanes; i++) {
		const struct lane *l = &r->lane[i];
		double from = place(r, l->from), to = place(r, l->to);
		unsigned int y = 12 + (unsigned int)i * 20;
		const char *c = colour(l->severity);

		fprintf(r->f,
			"<text x=\"0\" y=\"%u\">%zu</text>"
			"<line x1=\"5%%\" y1=\"%u\" x2=\"97%%\" y2=\"%u\" stroke=\"#eef1f4\"/>"
			"<line x1=\"%.2f%%\" y1=\"%u\" x2=\"%.2f%%\" y2=\"%u\" stroke=\"%s\" stroke-width=\"6\"/>"
			"<circle cx=\"%.2f%%\" cy=\"%u\" r=\"5\" fill=\"%s\"/>"
			"<circle cx=\"%.2f%%\" cy=\"%u\" r=\"5\" fill=\"%s\"/>\n",
			y + 4, i + 1, y, y, from, y, to, y, c, from, y, c, to, y, c);
	}
	fputs("</svg>\n<p class=\"dim\">From ", r->f);
	page_time(r->f, r->from);
	fputs(" to ", r->f);
	page_time(r->f, r->to);
	fputs(" UTC, by the clock of the host. Pale red: nobody watched.</p>\n", r->f);
}

static void put_lanes(const struct report *r)
{
	if (!r->lanes) {
		fputs("<p>There is no incident to draw.</p>\n", r->f);
		return;
	}
	put_drawing(r);
	fputs("<table class=\"rows\"><thead><tr><th>Nr.</th><th>First (UTC)</th><th>Last</th><th>Severity</th><th>What</th>"
	      "</tr></thead><tbody>\n",
	      r->f);
	for (size_t i = 0; i < r->lanes; i++) {
		const struct lane *l = &r->lane[i];

		fprintf(r->f, "<tr><td title=\"Nr.\">%zu</td><td class=\"t\" title=\"First\">",
			i + 1);
		page_time(r->f, l->from);
		fputs("</td><td class=\"t\" title=\"Last\">", r->f);
		page_time(r->f, l->to);
		fputs("</td><td title=\"Severity\">", r->f);
		html_text(r->f, l->severity);
		fputs("</td><td title=\"What\">", r->f);
		html_text(r->f, l->text);
		fputs("</td></tr>\n", r->f);
	}
	fputs("</tbody></table>\n", r->f);
	if (r->lanes_left_out)
		html_put(r->f, "%zu more are in the log.", r->lanes_left_out);
}

/* --- actors, connections, entries --- */

static void put_actors(const struct report *r)
{
	struct actors *a = actors_new();

	if (!a)
		return;
	for (size_t i = 0; i < json_array_size(r->kept); i++) {
		json_t *v = json_array_get(r->kept, i);

		if (!strcmp(kind_of(v), "event"))
			actors_add(a, json_object_get(v, "record"));
		else if (!strcmp(kind_of(v), "actor"))
			actors_detail(a, json_object_get(v, "record"));
	}
	actors_html(r->f, a);
	actors_free(a);
}

static void put_end(FILE *f, json_t *conn, const char *key)
{
	json_t *end = json_object_get(conn, key);

	html_put(f, "%s port %" PRId64, page_text(end, "ip"), page_int(end, "port", NULL));
}

static void put_conn(FILE *f, json_t *own)
{
	json_t *conn = json_object_get(own, "conn"), *tls = json_object_get(conn, "tls");
	const char *version = page_text(tls, "version"), *opener = page_text(conn, "opener");

	fputs("<tr><td title=\"Server\">", f);
	html_text(f, page_text(json_object_get(own, "instance"), "name"));
	fputs("</td><td title=\"Its end\">", f);
	put_end(f, conn, "local");
	fputs("</td><td title=\"Other end\">", f);
	put_end(f, conn, "remote");
	if (opener[0])
		html_put(f, ", opened by %s", opener);
	fputs("</td><td title=\"TLS\">", f);
	html_put(f, "%s %s", version[0] ? version : "not seen", page_text(tls, "cipher"));
	fputs("</td><td title=\"Rule\">", f);
	html_text(f, page_text(own, "rule"));
	fputs("</td></tr>\n", f);
}

static void put_conns(const struct report *r)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(r->kept); i++) {
		json_t *v = json_array_get(r->kept, i), *own = own_of(json_object_get(v, "record"));

		if (strcmp(kind_of(v), "event") != 0 ||
		    !json_is_object(json_object_get(own, "conn")))
			continue;
		if (!n)
			fputs("<table class=\"rows\"><thead><tr><th>Server</th><th>Its end</th><th>Other end</th>"
			      "<th>TLS</th><th>Rule</th></tr></thead><tbody>\n",
			      r->f);
		if (n++ < CONNS_MAX_SHOWN)
			put_conn(r->f, own);
	}
	fputs(n ? "</tbody></table>\n" : "<p>No event is about a connection.</p>\n", r->f);
	if (n > CONNS_MAX_SHOWN)
		html_put(r->f, "%zu more are in the log.", n - CONNS_MAX_SHOWN);
}

static void put_items(const struct report *r)
{
	size_t shown = 0, more = 0;

	fputs("<table class=\"rows\"><thead><tr><th>Time (UTC)</th><th>Entry</th><th>What</th></tr></thead><tbody>\n",
	      r->f);
	for (size_t i = 0; i < json_array_size(r->kept); i++) {
		json_t *v = timeline_item(json_array_get(r->kept, i), r->c->all[i].index);

		if (v && shown < ITEMS_MAX) {
			shown++;
			fputs("<tr><td class=\"t\" title=\"Time\">", r->f);
			page_time(r->f, page_int(v, "timestamp", NULL) / 1000);
			fputs("</td><td title=\"Entry\">", r->f);
			html_put(r->f, "%" PRIu64, r->c->all[i].index);
			fputs("</td><td title=\"What\">", r->f);
			html_text(r->f, page_text(v, "message"));
			fputs("</td></tr>\n", r->f);
		} else if (v) {
			more++;
		}
		json_decref(v);
	}
	fputs("</tbody></table>\n", r->f);
	if (more)
		html_put(r->f, "%zu more are in the log.", more);
}

/* --- the page --- */

static void put_check(const struct report *r)
{
	fputs("<p>This page is not signed, and repeats what the log says. The log was verified when the page was made. To check "
	      "an entry by its number:</p>\n<pre>cachewarden evidence verify DIR\ncachewarden evidence prove ENTRY DIR</pre>\n"
	      "<p>In a bundle (<code>evidence export</code>) the entries are in entries.jsonl, with proofs; verify.py checks "
	      "them. That the log was not cut off or replaced as a whole, only a checkpoint or key shows that was kept "
	      "elsewhere:</p>\n<pre>",
	      r->f);
	html_lines(r->f, r->c->a.reader.note_text);
	fputs("</pre>\n", r->f);
}

static void put_page(const struct report *r)
{
	json_t *hosts = json_object_get(json_object_get(r->p, "monitor"), "host");
	const char *host = json_string_value(json_array_get(hosts, 0)) ?: "an unknown host";
	char title[400];

	if (r->incident)
		snprintf(title, sizeof(title), "%.300s", page_text(r->incident, "message"));
	else
		snprintf(title, sizeof(title), "Redis and Valkey servers on %.60s", host);
	html_begin(r->f, title);
	fputs("<h1>", r->f);
	html_text(r->f, title);
	fputs("</h1>\n<p class=\"dim\">", r->f);
	html_put(r->f, "Host %s%s%s", host, r->c->incident ? ", incident " : "",
		 r->c->incident ?: "");
	fputs("</p>\n", r->f);
	if (r->incident)
		put_incident_verdict(r);
	else
		page_verdict(r->f, r->p);
	fputs("<h2>Timeline</h2>\n", r->f);
	put_lanes(r);
	fputs("<h2>Who</h2>\n", r->f);
	put_actors(r);
	fputs("<h2>Connections</h2>\n", r->f);
	put_conns(r);
	fputs("<h2>Servers in this time</h2>\n", r->f);
	page_servers(r->f, r->p);
	fputs("<h2>What was not seen</h2>\n", r->f);
	page_coverage(r->f, r->p);
	page_losses(r->f, r->p);
	page_unseen(r->f, r->p);
	fputs("<h2>Entries of the log</h2>\n", r->f);
	put_items(r);
	fputs("<h2>How to verify</h2>\n", r->f);
	put_check(r);
	page_facts(r->f, r->p);
	html_end(r->f);
}

int report_html(FILE *f, const struct casefile *c)
{
	json_t *statement = account_statement(&c->a);
	struct report *r = calloc(1, sizeof(*r));
	int err = statement && r ? 0 : -ENOMEM;

	if (!err) {
		r->f = f;
		r->c = c;
		r->p = json_object_get(statement, "predicate");
		err = collect(r);
		if (!err)
			put_page(r);
		json_decref(r->kept);
		json_decref(r->actions);
	}
	free(r);
	json_decref(statement);
	return err ?: ferror(f) ? -EIO : 0;
}
