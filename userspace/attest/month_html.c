// SPDX-License-Identifier: BSD-2-Clause
/* month_html.c - see month_html.h. */
#include "attest/month_html.h"

#include "attest/html.h"
#include "attest/page.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define DAY_MS 86400000ll

/* --- days --- */

/* A bar for each day; what is missing from it was not watched. Widths are in percent: on a phone it is as high as elsewhere. */
static void put_days(FILE *f, const struct account *a)
{
	unsigned int days = (unsigned int)((a->to - a->from + DAY_MS - 1) / DAY_MS);

	if (days > LEDGER_DAYS)
		days = LEDGER_DAYS;
	fputs("<svg height=\"124\" style=\"height:124px\" role=\"img\" aria-label=\"Hours watched on each day\">\n"
	      "<text x=\"0\" y=\"14\">24 h</text><text x=\"0\" y=\"104\">0 h</text>\n",
	      f);
	for (unsigned int i = 0; i < days; i++) {
		int64_t of = a->to - a->from - i * DAY_MS, watched = ledger_day(a->ledger, i);
		int high = (int)(watched * 90 / DAY_MS),
		    room = of < DAY_MS ? (int)(of * 90 / DAY_MS) : 90;
		double x = 9 + i * 2.93;

		fprintf(f,
			"<rect x=\"%.2f%%\" y=\"%d\" width=\"2.3%%\" height=\"%d\" fill=\"#f3d0cc\"/>"
			"<rect x=\"%.2f%%\" y=\"%d\" width=\"2.3%%\" height=\"%d\" fill=\"#2f6f4f\"/>\n",
			x, 100 - room, room, x, 100 - high, high);
		if (!i || (i + 1) % 5 == 0)
			fprintf(f,
				"<text x=\"%.2f%%\" y=\"118\" text-anchor=\"middle\">%u</text>\n",
				x + 1.15, i + 1);
	}
	fputs("</svg>\n<p class=\"dim\">Green: hours watched, by day of the month (UTC). Red: not watched.</p>\n",
	      f);
}

/* --- what others ask --- */

static const struct {
	const char *what, *asks, *shows, *leaves;
} standards[] = {
	{"PCI DSS v4.0.1, 4.2.1",
	 "Cardholder data is protected by strong cryptography while it is sent over open, public networks: "
	 "trusted certificates, no fallback to insecure versions or suites.",
	 "How many handshakes of each server settled on which version and suite, and how many bytes that are no "
	 "TLS crossed its sockets, while somebody watched.",
	 "Whether the data are cardholder data, which networks are public, and whether clients check "
	 "certificates."},
	{"SOC 2, CC6.7",
	 "Transmission, movement and removal of information is restricted to authorized users and processes, and "
	 "protected meanwhile.",
	 "Which attempts to read servers' memory, descriptors and files were seen, what the policy said of each, "
	 "and which entry of it allowed those that were allowed.",
	 "Whether those whom the policy allows should be allowed, and what clients do with what servers send "
	 "them."},
	{"ISO/IEC 27001:2022, A.8.24",
	 "Rules for the use of cryptography, key management included, are defined and implemented.",
	 "That the policy named below was in force, and what the wire showed of it; attempts to open private keys "
	 "(rule tls-key).",
	 "Whether the rules are sufficient, and how keys are made, kept and replaced."},
};

static void put_standards(FILE *f)
{
	fputs("<p class=\"dim\">What they ask is in our words. Whether it is met, the auditor decides.</p>\n"
	      "<table class=\"rows standards\"><thead><tr><th>Control</th><th>Asks</th><th>This shows</th><th>This does not show"
	      "</th></tr></thead><tbody>\n",
	      f);
	for (size_t i = 0; i < sizeof(standards) / sizeof(standards[0]); i++) {
		fputs("<tr><td title=\"Control\"><b>", f);
		html_text(f, standards[i].what);
		fputs("</b></td><td title=\"Asks\">", f);
		html_text(f, standards[i].asks);
		fputs("</td><td title=\"This shows\">", f);
		html_text(f, standards[i].shows);
		fputs("</td><td title=\"This does not show\">", f);
		html_text(f, standards[i].leaves);
		fputs("</td></tr>\n", f);
	}
	fputs("</tbody></table>\n", f);
}

static void put_allowed(FILE *f, json_t *p)
{
	json_t *rows = json_object_get(p, "servers");
	bool any = false;

	fputs("<ul>\n", f);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i), *v;
		const char *entry;

		json_object_foreach (json_object_get(json_object_get(row, "counts"), "allowed"),
				     entry, v) {
			const char *reason = page_text(v, "reason");

			fputs("<li>", f);
			html_put(f, "%s: %" PRId64 " by %s%s%s", page_text(row, "name"),
				 page_int(v, "count", NULL), entry, reason[0] ? ": " : "", reason);
			fputs("</li>\n", f);
			any = true;
		}
	}
	fputs(any ? "</ul>\n" : "<li>none</li></ul>\n", f);
}

static void put_check(FILE *f, const struct account *a)
{
	fputs("<p>This page is not signed. The statement it shows is what <code>cachewarden evidence statement "
	      "--month ... --format json</code> prints, signed; the log it was made from was verified first.",
	      f);
	if (a->statements)
		html_put(f,
			 " The log has %" PRIu64
			 " statement%s of its own about this time, number %" PRIu64 " to %" PRIu64
			 ", signed with a key that is gone.",
			 a->statements, a->statements == 1 ? "" : "s", a->first, a->last);
	else
		fputs(" The log has no statement of its own about this time.", f);
	fputs("</p>\n", f);
}

int month_html(FILE *f, const struct account *a, json_t *p)
{
	json_t *hosts = json_object_get(json_object_get(p, "monitor"), "host");
	const char *host = json_string_value(json_array_get(hosts, 0)) ?: "an unknown host";
	char title[160];

	snprintf(title, sizeof(title), "Redis and Valkey servers on %.60s, %.7s", host,
		 page_text(json_object_get(p, "period"), "from_text"));
	html_begin(f, title);
	fputs("<h1>", f);
	html_text(f, title);
	fputs("</h1>\n<p class=\"dim\">", f);
	page_time(f, a->from);
	fputs(" to ", f);
	page_time(f, a->to);
	fputs(" UTC, by the clock of the host</p>\n", f);
	page_verdict(f, p);
	put_days(f, a);
	fputs("<h2>Servers</h2>\n", f);
	page_servers(f, p);
	fputs("<h2>Allowed by the policy</h2>\n", f);
	put_allowed(f, p);
	fputs("<h2>Incidents</h2>\n", f);
	page_incidents(f, p);
	fputs("<h2>When nobody watched</h2>\n", f);
	page_coverage(f, p);
	fputs("<h2>Lost and unread</h2>\n", f);
	page_losses(f, p);
	fputs("<h2>What this does not say</h2>\n", f);
	page_unseen(f, p);
	fputs("<h2>What standards ask</h2>\n", f);
	put_standards(f);
	fputs("<h2>What it was made from</h2>\n", f);
	page_facts(f, p);
	put_check(f, a);
	html_end(f);
	return ferror(f) ? -EIO : 0;
}
