// SPDX-License-Identifier: BSD-2-Clause
/* page.c - see page.h. */
#include "attest/page.h"
#include "base/clock.h"

#include "attest/html.h"
#include "attest/statement.h"

#include <inttypes.h>
#include <string.h>

int64_t page_int(json_t *v, const char *a, const char *b)
{
	v = json_object_get(v, a);
	return json_integer_value(b ? json_object_get(v, b) : v);
}

const char *page_text(json_t *v, const char *key)
{
	return json_string_value(json_object_get(v, key)) ?: "";
}

int64_t page_sum(json_t *v, const char *key)
{
	int64_t sum = 0;
	const char *name;
	json_t *at;

	json_object_foreach (v, name, at) {
		if (json_is_object(at))
			sum += page_sum(at, key);
		else if (!key || !strcmp(name, key))
			sum += json_integer_value(at);
	}
	return sum;
}

void page_time(FILE *f, int64_t ms)
{
	char text[CLOCK_UTC_LEN];

	clock_text_utc(ms, text);
	if (strlen(text) == 24) { /* of years of four digits */
		text[10] = ' ';
		text[ms % 1000 ? 23 : 19] = '\0';
	}
	html_text(f, text);
}

/* --- coverage --- */

static const struct {
	const char *reason, *means;
} reasons[] = {
	{"before-log", "the log had not begun"},
	{"starting", "the monitor was starting"},
	{"monitor-stopped", "no monitor ran: it had been ended properly"},
	{"monitor-killed", "no monitor ran, or it ran on for a moment: it ended without saying so"},
	{"monitor-silent", "nothing was written: the host was suspended, or the monitor stopped"},
	{"monitor-away",
	 "the monitor did not run on: it was stopped, hung, or suspended with the host"},
	{"sensors-lost", "sensors had been detached; the others went on"},
	{"after-log", "the log has nothing later"},
};

static const char *meaning(const char *reason)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (!strcmp(reasons[i].reason, reason))
			return reasons[i].means;
	}
	return reason;
}

void page_coverage(FILE *f, json_t *p)
{
	json_t *c = json_object_get(p, "coverage"), *gaps = json_object_get(c, "gaps");
	char watched[CLOCK_SPAN_LEN], missing[CLOCK_SPAN_LEN];

	clock_text_span(page_int(c, "watched_ms", NULL), watched);
	clock_text_span(page_int(c, "not_watched_ms", NULL), missing);
	html_put(f, "Watched: %s. Not watched: %s.", watched, missing);
	fputs("\n", f);
	if (page_int(c, "clock_set_back_ms", NULL)) {
		clock_text_span(page_int(c, "clock_set_back_ms", NULL), missing);
		html_put(f, " The clock was set back by %s in all.", missing);
	}
	if (!json_array_size(gaps))
		return;
	fputs("<table class=\"rows\"><thead><tr><th>From (UTC)</th><th>To</th><th>Not watched for</th>"
	      "<th>Why</th></tr></thead><tbody>\n",
	      f);
	for (size_t i = 0; i < json_array_size(gaps); i++) {
		json_t *g = json_array_get(gaps, i);

		clock_text_span(page_int(g, "ms", NULL), missing);
		fputs("<tr><td class=\"t\" title=\"From\">", f);
		page_time(f, page_int(g, "from", NULL));
		fputs("</td><td class=\"t\" title=\"To\">", f);
		page_time(f, page_int(g, "to", NULL));
		fputs("</td><td title=\"Not watched for\">", f);
		html_text(f, missing);
		fputs("</td><td title=\"Why\">", f);
		html_text(f, meaning(page_text(g, "reason")));
		fputs("</td></tr>\n", f);
	}
	fputs("</tbody></table>\n", f);
	if (page_int(c, "gaps_left_out", NULL))
		html_put(f, "%" PRId64 " more are in the sum only.",
			 page_int(c, "gaps_left_out", NULL));
}

/* --- servers --- */

/* "mem-read 3, mem-trace 1" of one verdict; "none". */
static void put_verdict(FILE *f, json_t *accesses, const char *verdict)
{
	const char *rule;
	bool any = false;
	json_t *v;

	json_object_foreach (accesses, rule, v) {
		int64_t n = page_int(v, verdict, NULL);

		if (!n)
			continue;
		html_put(f, "%s%s %" PRId64, any ? ", " : "", rule, n);
		any = true;
	}
	if (!any)
		fputs("none", f);
}

static void put_counts(FILE *f, json_t *counts)
{
	const char *suite;
	bool any = false;
	json_t *v;

	json_object_foreach (counts, suite, v) {
		html_put(f, "%s%s: %" PRId64, any ? ", " : "", suite,
			 (int64_t)json_integer_value(v));
		any = true;
	}
	if (!any)
		fputs("none seen", f);
}

/* Tallies of older logs have no bytes but plaintext. */
static void put_bytes(FILE *f, json_t *counts)
{
	json_t *b = json_object_get(counts, "bytes");

	html_put(f, "%" PRId64, page_int(counts, "plaintext_bytes", NULL));
	if (!b)
		return;
	fputs("<br><span class=\"dim\">", f);
	html_put(f, "%" PRId64 " walked, %" PRId64 " not walked",
		 page_int(b, "received_walked", NULL) + page_int(b, "sent_walked", NULL),
		 page_int(b, "received_not_walked", NULL) + page_int(b, "sent_not_walked", NULL));
	fputs("</span>", f);
}

static void put_server(FILE *f, json_t *row)
{
	json_t *counts = json_object_get(row, "counts"), *a = json_object_get(counts, "accesses");
	char span[CLOCK_SPAN_LEN];

	clock_text_span(page_int(row, "watched_ms", NULL), span);
	fputs("<tr><td title=\"Server\"><b>", f);
	html_text(f, page_text(row, "name"));
	fputs("</b><br><span class=\"dim path\">", f);
	for (size_t i = 0; i < json_array_size(json_object_get(row, "exe")); i++)
		html_put(f, "%s%s", i ? ", " : "",
			 json_string_value(json_array_get(json_object_get(row, "exe"), i)));
	fputs("</span></td><td title=\"Watched\">", f);
	html_text(f, span);
	fputs("</td><td title=\"Alerts\">", f);
	put_verdict(f, a, "alert");
	fputs("</td><td title=\"Prevented\">", f);
	put_verdict(f, a, "prevented");
	fputs("</td><td title=\"Allowed\">", f);
	put_verdict(f, a, "allowed");
	fputs("</td><td title=\"Observed\">", f);
	put_verdict(f, a, "observed");
	fputs("</td><td title=\"Plaintext bytes\">", f);
	put_bytes(f, counts);
	fputs("</td><td title=\"TLS handshakes\">", f);
	put_counts(f, json_object_get(counts, "handshakes"));
	fputs("</td></tr>\n", f);
}

void page_servers(FILE *f, json_t *p)
{
	json_t *rows = json_object_get(p, "servers"), *host = json_object_get(p, "counts");

	fputs("<div class=\"wide\"><table class=\"rows servers\"><thead><tr><th>Server</th><th>Watched</th><th>Alerts"
	      "</th><th>Prevented</th><th>Allowed</th><th>Observed</th><th>Plaintext bytes</th>"
	      "<th>TLS handshakes</th></tr></thead><tbody>\n",
	      f);
	for (size_t i = 0; i < json_array_size(rows); i++)
		put_server(f, json_array_get(rows, i));
	fputs("</tbody></table></div>\n<p>Of the whole host: alerts ", f);
	put_verdict(f, json_object_get(host, "accesses"), "alert");
	fputs(", prevented ", f);
	put_verdict(f, json_object_get(host, "accesses"), "prevented");
	fputs(", allowed ", f);
	put_verdict(f, json_object_get(host, "accesses"), "allowed");
	fputs(", observed ", f);
	put_verdict(f, json_object_get(host, "accesses"), "observed");
	html_put(f, ", plaintext bytes %" PRId64, page_int(host, "plaintext_bytes", NULL));
	fputs(".</p>\n", f);
	if (!json_array_size(rows))
		fputs("<p>The log knows of no server in this time.</p>\n", f);
	if (page_int(p, "servers_left_out", NULL))
		html_put(f, "%" PRId64 " more servers are in the numbers of the host only.",
			 page_int(p, "servers_left_out", NULL));
}

/* --- incidents --- */

void page_incidents(FILE *f, json_t *p)
{
	json_t *all = json_object_get(p, "incidents"), *v;
	const char *uid;

	if (!json_object_size(all)) {
		fputs("<p>The log has no incident that overlaps this time.</p>\n", f);
		return;
	}
	fputs("<table class=\"rows\"><thead><tr><th>First seen (UTC)</th><th>Severity</th><th>What</th><th>Id</th>"
	      "</tr></thead><tbody>\n",
	      f);
	json_object_foreach (all, uid, v) {
		fputs("<tr><td class=\"t\" title=\"First seen\">", f);
		page_time(f, page_int(v, "from", NULL));
		fputs("</td><td title=\"Severity\">", f);
		html_text(f, page_text(v, "severity"));
		fputs("</td><td title=\"What\">", f);
		html_text(f, page_text(v, "message"));
		fputs("</td><td title=\"Id\" class=\"path\">", f);
		html_text(f, uid);
		fputs("</td></tr>\n", f);
	}
	fputs("</tbody></table>\n", f);
	if (json_is_true(json_object_get(p, "incidents_left_out")))
		fputs("<p>There were more: see <code>cachewarden evidence show</code>.</p>\n", f);
}

/* --- what was lost, unseen and unknown --- */

static void put_nonzero(FILE *f, json_t *group, const char *name)
{
	const char *key;
	json_t *v;

	json_object_foreach (group, key, v) {
		if (!json_integer_value(v))
			continue;
		fputs("<li>", f);
		html_put(f, "%s: %s %" PRId64, name, key, (int64_t)json_integer_value(v));
		fputs("</li>\n", f);
	}
}

void page_losses(FILE *f, json_t *p)
{
	json_t *c = json_object_get(p, "counts"), *sweeps = json_object_get(c, "sweeps");
	int64_t lost = page_sum(json_object_get(c, "lost"), NULL),
		gone = page_int(p, "log_lost", NULL);
	char gap[CLOCK_SPAN_LEN];

	fputs("<ul>\n<li>", f);
	html_put(f,
		 "Records lost between kernel and monitor: %" PRId64 "; by the log: %" PRId64 ".",
		 lost, gone);
	fputs("</li>\n<li>", f);
	if (sweeps) {
		clock_text_span(page_int(sweeps, "longest_gap_ms", NULL), gap);
		html_put(f,
			 "Sweeps: %" PRId64 ", of which %" PRId64
			 " failed; the longest time between two: %s.",
			 page_int(sweeps, "count", NULL), page_int(sweeps, "failed", NULL), gap);
	} else {
		fputs("Sweeps: the log does not say how many.", f);
	}
	fputs("</li>\n", f);
	put_nonzero(f, json_object_get(c, "lost"), "lost");
	put_nonzero(f, json_object_get(c, "wire"), "not read on the wire");
	put_nonzero(f, json_object_get(c, "blind"), "blind spot");
	fputs("</ul>\n", f);
}

void page_unseen(FILE *f, json_t *p)
{
	json_t *unseen = json_object_get(p, "unseen"), *unknown = json_object_get(p, "unknown");

	fputs("<ul>\n", f);
	for (size_t i = 0; i < json_array_size(unknown); i++) {
		fputs("<li>", f);
		html_text(f, json_string_value(json_array_get(unknown, i)));
		fputs("</li>\n", f);
	}
	for (size_t i = 0; i < json_array_size(unseen); i++) {
		fputs("<li>No program of this kernel sees: ", f);
		html_text(f, json_string_value(json_array_get(unseen, i)));
		fputs("</li>\n", f);
	}
	fputs("<li>What the tier of a sensor cannot see on this kernel, and what no program in the kernel can: see "
	      "the document on coverage.</li>\n</ul>\n",
	      f);
}

/* --- facts --- */

static void put_list(FILE *f, const char *name, json_t *all)
{
	if (!json_array_size(all))
		return;
	fputs("<tr><th>", f);
	html_text(f, name);
	fputs("</th><td class=\"path\">", f);
	for (size_t i = 0; i < json_array_size(all); i++)
		html_put(f, "%s%s", i ? ", " : "", json_string_value(json_array_get(all, i)) ?: "");
	fputs("</td></tr>\n", f);
}

static void put_policies(FILE *f, json_t *all)
{
	for (size_t i = 0; i < json_array_size(all); i++) {
		json_t *files = json_array_get(all, i);

		fputs("<tr><th>Policy</th><td class=\"path\">", f);
		if (!json_array_size(files))
			fputs("built in", f);
		for (size_t k = 0; k < json_array_size(files); k++) {
			json_t *v = json_array_get(files, k);
			const char *sha256 = page_text(v, "sha256");

			html_put(f, "%s%s SHA-256 %s", k ? ", " : "", page_text(v, "path"),
				 sha256[0] ? sha256 : "unknown");
		}
		fputs("</td></tr>\n", f);
	}
}

void page_facts(FILE *f, json_t *p)
{
	json_t *m = json_object_get(p, "monitor"), *log = json_object_get(p, "log");
	json_t *sensors = json_object_get(p, "sensors");

	fputs("<table>\n", f);
	put_list(f, "Host", json_object_get(m, "host"));
	put_list(f, "Machine id", json_object_get(m, "machine_id"));
	put_list(f, "Boots", json_object_get(m, "boot_id"));
	put_list(f, "Kernel", json_object_get(m, "kernel"));
	put_list(f, "Monitor", json_object_get(m, "version"));
	put_list(f, "Its SHA-256", json_object_get(m, "sha256"));
	put_policies(f, json_object_get(p, "policies"));
	fputs("<tr><th>Sensors</th><td>", f);
	for (size_t i = 0; i < json_array_size(sensors); i++) {
		json_t *s = json_array_get(sensors, i);

		html_put(f, "%s%s (%s): %" PRId64 " of %" PRId64 " programs attached",
			 i ? ", " : "", page_text(s, "sensor"), page_text(s, "tier"),
			 page_int(s, "attached", NULL), page_int(s, "programs", NULL));
	}
	fputs("</td></tr>\n<tr><th>Log</th><td class=\"path\">", f);
	html_put(f, "%s, %" PRId64 " entries, root %s", page_text(log, "origin"),
		 page_int(log, "size", NULL), page_text(log, "root"));
	fputs("</td></tr>\n</table>\n", f);
}
