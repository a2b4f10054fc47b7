/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_verdict.c - what a page says first: that all is fine only if everything was watched, counted and kept, and else what was not.
 */
#include "unit.h"

#include "attest/page.h"
#include "base/macros.h"

#include <stdlib.h>
#include <string.h>

static const char fine[] =
	"{\"coverage\":{\"watched_ms\":3600000,\"not_watched_ms\":0,\"clock_set_back_ms\":0},"
	"\"counted\":{\"ms\":3599600},\"log_lost\":0,\"incidents\":{},\"incidents_left_out\":false,"
	"\"sensors\":[{\"sensor\":\"memory\",\"programs\":3,\"attached\":3},"
	"{\"sensor\":\"wire\",\"programs\":2,\"attached\":2}],"
	"\"counts\":{\"accesses\":{},\"lost\":{\"attempts\":0,\"details\":0},\"plaintext_bytes\":0,"
	"\"wire\":{\"streams_resynced\":3,\"segments_unread\":0},\"blind\":{},"
	"\"sweeps\":{\"count\":700,\"failed\":0}},\"tallies_missed\":0,"
	"\"servers\":[{\"name\":\"redis\",\"counts\":{\"accesses\":{\"mem-read\":{\"allowed\":2}},"
	"\"plaintext_bytes\":0}}]}";

/* The page's verdict with one place of that text changed. Free it. */
static char *verdict_with(const char *was, const char *is)
{
	char *text, *page = NULL, *at = strstr(fine, was);
	size_t len = 0;
	json_t *v;
	FILE *f;

	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - fine), fine, is, at + strlen(was)) > 0);
	v = json_loads(text, 0, NULL);
	assert_non_null(v);
	f = open_memstream(&page, &len);
	assert_non_null(f);
	page_verdict(f, v);
	fclose(f);
	json_decref(v);
	free(text);
	return page;
}

static void assert_verdict(const char *was, const char *is, const char *class, const char *says)
{
	char *page = verdict_with(was, is), want[32];

	snprintf(want, sizeof(want), "class=\"verdict %s\"", class);
	if (!strstr(page, want) || !strstr(page, says))
		fail_msg("%s: not %s, '%s', but %s", is, class, says, page);
	free(page);
}

static void everything_was_seen(void **state)
{
	assert_verdict("", "", "fine", "<b>No access that the policy does not allow was seen.</b>");
	assert_verdict("\"counted\":{\"ms\":3599600}", "\"counted\":{\"ms\":3600000}", "fine",
		       "100.00 %");
}

static void what_was_not_seen_is_named(void **state)
{
	static const struct {
		const char *was, *is, *says;
	} doubts[] = {
		{"\"not_watched_ms\":0", "\"not_watched_ms\":1", "Nobody watched for a part"},
		{"\"clock_set_back_ms\":0", "\"clock_set_back_ms\":9", "clock was set back"},
		{"\"programs\":3,\"attached\":3", "\"programs\":3,\"attached\":2",
		 "Not all programs"},
		{"\"programs\":2,\"attached\":2", "\"programs\":0,\"attached\":0",
		 "Not all programs"},
		{"\"sensors\":[", "\"sensors\":[],\"x\":[", "Not all programs"},
		{"\"servers\":[", "\"servers\":[],\"x\":[", "knows of no server"},
		{"\"details\":0", "\"details\":1", "lost between kernel and monitor"},
		{"\"log_lost\":0", "\"log_lost\":1", "The log lost records"},
		{"\"incidents_left_out\":false", "\"incidents_left_out\":true",
		 "Not all incidents"},
		{"\"ms\":3599600", "\"ms\":3599000", "the log has no numbers"},
		{"\"tallies_missed\":0", "\"tallies_missed\":1", "numbers of all servers"},
		{"\"failed\":0", "\"failed\":1", "Sweeps failed"},
		{"\"plaintext_bytes\":0,", "\"plaintext_bytes\":5,", "5 bytes of plaintext"},
		{"\"plaintext_bytes\":0}}]", "\"plaintext_bytes\":7}}]", "only observes"},
		{"\"segments_unread\":0", "\"segments_unread\":1", "crossed the wire"},
		{"\"blind\":{}", "\"blind\":{\"x\":1}", "blind spots"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(doubts); i++)
		assert_verdict(doubts[i].was, doubts[i].is, "warn", doubts[i].says);
}

static void accesses_are_bad(void **state)
{
	assert_verdict("\"allowed\":2", "\"alert\":2", "bad", " 2 attempts raised alerts");
	assert_verdict("\"allowed\":2", "\"prevented\":1", "bad", " 1 were prevented");
	assert_verdict("\"accesses\":{}", "\"accesses\":{\"mem-read\":{\"alert\":4}}", "bad",
		       " 4 attempts raised alerts"); /* of the host */
	assert_verdict("\"incidents\":{}", "\"incidents\":{\"a\":{}}", "bad", " 1 incident;");
	assert_verdict("\"watched_ms\":3600000", "\"watched_ms\":0", "bad", "says nothing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_was_seen),
		cmocka_unit_test(what_was_not_seen_is_named),
		cmocka_unit_test(accesses_are_bad),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
