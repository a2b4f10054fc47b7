// SPDX-License-Identifier: BSD-2-Clause
/*
 * page_verdict.c - the first thing that a page says. It says that all is fine only if everything was watched, counted and kept; else
 * it names the first thing that was not.
 */
#include "attest/html.h"
#include "base/clock.h"
#include "attest/page.h"

#include <inttypes.h>

#define COUNTED_MS 1000 /* a tally and the time that it is about may be that much apart */

/* --- numbers of all servers, and of the host, which are no server's --- */

static int64_t accesses(json_t *p, const char *verdict)
{
	json_t *rows = json_object_get(p, "servers");
	int64_t sum = page_sum(json_object_get(json_object_get(p, "counts"), "accesses"), verdict);

	for (size_t i = 0; i < json_array_size(rows); i++)
		sum += page_sum(json_object_get(json_object_get(json_array_get(rows, i), "counts"),
						"accesses"),
				verdict);
	return sum;
}

static int64_t plaintext(json_t *p)
{
	json_t *rows = json_object_get(p, "servers");
	int64_t sum = page_int(p, "counts", "plaintext_bytes");

	for (size_t i = 0; i < json_array_size(rows); i++)
		sum += page_int(json_object_get(json_array_get(rows, i), "counts"),
				"plaintext_bytes", NULL);
	return sum;
}

/* --- what keeps it from being fine --- */

static bool not_watched(json_t *p)
{
	return page_int(p, "coverage", "not_watched_ms");
}

static bool clock_set_back(json_t *p)
{
	return page_int(p, "coverage", "clock_set_back_ms");
}

static bool sensors_missing(json_t *p)
{
	json_t *all = json_object_get(p, "sensors");
	bool missing = !json_array_size(all);

	for (size_t i = 0; i < json_array_size(all); i++) {
		json_t *s = json_array_get(all, i);
		int64_t attached = page_int(s, "attached", NULL);

		missing |= attached <= 0 || attached < page_int(s, "programs", NULL);
	}
	return missing;
}

static bool no_server(json_t *p)
{
	return !json_array_size(json_object_get(p, "servers"));
}

static bool records_lost(json_t *p)
{
	return page_sum(json_object_get(json_object_get(p, "counts"), "lost"), NULL);
}

static bool log_lost(json_t *p)
{
	return page_int(p, "log_lost", NULL);
}

static bool incidents_left_out(json_t *p)
{
	return json_is_true(json_object_get(p, "incidents_left_out"));
}

static bool uncounted(json_t *p)
{
	return page_int(p, "coverage", "watched_ms") - page_int(p, "counted", "ms") >= COUNTED_MS;
}

static bool tallies_missed(json_t *p)
{
	return page_int(p, "tallies_missed", NULL);
}

static bool sweeps_failed(json_t *p)
{
	return page_int(json_object_get(p, "counts"), "sweeps", "failed");
}

/* A stream that was found again was read on. */
static bool wire_unread(json_t *p)
{
	json_t *wire = json_object_get(json_object_get(p, "counts"), "wire");

	return page_sum(wire, NULL) > page_int(wire, "streams_resynced", NULL);
}

static bool blind_spots(json_t *p)
{
	return page_sum(json_object_get(json_object_get(p, "counts"), "blind"), NULL);
}

static bool plaintext_seen(json_t *p)
{
	return plaintext(p);
}

static const struct {
	bool (*is)(json_t *p);
	const char *says;
} doubts[] = {
	{not_watched, "Nobody watched for a part of the time."},
	{clock_set_back, "The clock was set back, so times are not certain."},
	{sensors_missing, "Not all programs of the sensors were attached."},
	{no_server, "The log knows of no server in this time."},
	{records_lost, "Records were lost between kernel and monitor."},
	{log_lost, "The log lost records."},
	{incidents_left_out, "Not all incidents fit into this page."},
	{uncounted, "For a part of the time the log has no numbers."},
	{tallies_missed, "The log does not have the numbers of all servers."},
	{sweeps_failed, "Sweeps failed."},
	{plaintext_seen, "Bytes that are no TLS crossed sockets, which the policy only observes."},
	{wire_unread, "Not all that crossed the wire was read."},
	{blind_spots, "The monitor named blind spots."},
};

const char *page_doubt(json_t *p)
{
	for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
		if (doubts[i].is(p))
			return doubts[i].says;
	}
	return NULL;
}

void page_verdict(FILE *f, json_t *p)
{
	size_t incidents = json_object_size(json_object_get(p, "incidents"));
	int64_t alerts = accesses(p, "alert"), prevented = accesses(p, "prevented");
	int64_t watched = page_int(p, "coverage", "watched_ms"),
		missing = page_int(p, "coverage", "not_watched_ms"), all = watched + missing ?: 1;
	const char *doubt = page_doubt(p);
	char a[CLOCK_SPAN_LEN], b[CLOCK_SPAN_LEN];

	clock_text_span(watched, a);
	clock_text_span(missing, b);
	if (!watched)
		fputs("<div class=\"verdict bad\"><b>Nobody watched. This says nothing of that time.</b>",
		      f);
	else if (alerts || prevented || incidents)
		fputs("<div class=\"verdict bad\"><b>There were accesses that the policy does not allow.</b>",
		      f);
	else if (doubt)
		fputs("<div class=\"verdict warn\"><b>No access that the policy does not allow was seen, but not "
		      "everything was.</b>",
		      f);
	else
		fputs("<div class=\"verdict fine\"><b>No access that the policy does not allow was seen.</b>",
		      f);
	fputs("<p>", f);
	if (watched && doubt)
		html_put(f, "%s ", doubt);
	html_put(f,
		 "Watched for %s (%" PRId64 ".%02" PRId64 " %% of the time), not watched for %s.",
		 a, watched * 100 / all, watched * 10000 / all % 100, b);
	html_put(f,
		 " %zu incident%s; %" PRId64 " attempts raised alerts, %" PRId64
		 " were prevented, %" PRId64 " were allowed by the policy, %" PRId64
		 " only observed; %" PRId64 " bytes of plaintext.",
		 incidents, incidents == 1 ? "" : "s", alerts, prevented, accesses(p, "allowed"),
		 accesses(p, "observed"), plaintext(p));
	fputs("</p></div>\n", f);
}
