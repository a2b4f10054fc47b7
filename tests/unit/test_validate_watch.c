/* SPDX-License-Identifier: BSD-2-Clause */
/* test_validate_watch.c - what `validate --duration` takes from the statement of its monitor. */
#include "unit.h"

#include "base/macros.h"
#include "tls/facts.h"
#include "validate/watch.h"

#include <stdlib.h>
#include <string.h>

static const char quiet[] =
	"{\"coverage\":{\"watched_ms\":60000,\"clock_set_back_ms\":0,\"gaps\":[]},\"log_lost\":0,"
	"\"counted\":{\"ms\":59980},"
	"\"tallies_missed\":0,\"unseen\":[],"
	"\"sensors\":[{\"sensor\":\"memory\",\"tier\":\"access\",\"programs\":3,\"attached\":3}],"
	"\"counts\":{\"accesses\":{},\"lost\":{\"attempts\":0},\"blind\":{},"
	"\"wire\":{\"streams_resynced\":2,\"segments_unread\":0},\"sweeps\":{\"failed\":0}},"
	"\"servers\":[{\"name\":\"redis-server:6379\",\"watched_ms\":59000,\"counts\":{"
	"\"accesses\":{\"mem-inspect\":{\"allowed\":4}},\"plaintext_bytes\":0,"
	"\"handshakes\":{\"TLSv1.3 TLS_AES_256_GCM_SHA384\":5}}},"
	"{\"name\":\"redis-server:7000\",\"watched_ms\":60000,\"counts\":{"
	"\"accesses\":{\"mem-read\":{\"alert\":9}},\"plaintext_bytes\":99,\"handshakes\":{}}}]}";

/* What is read with one place of that text changed. */
static struct facts_watch watch_with(const char *was, const char *is)
{
	struct facts_watch w = {.asked = true};
	char *text, *at = strstr(quiet, was);
	json_t *v;

	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - quiet), quiet, is, at + strlen(was)) >
		    0);
	v = json_loads(text, 0, NULL);
	assert_non_null(v);
	watch_read(&w, v, "redis-server:6379");
	json_decref(v);
	free(text);
	return w;
}

static void a_quiet_time_leaves_no_doubt(void **state)
{
	/* it was asked to end, which takes some milliseconds */
	struct facts_watch w =
		watch_with("\"gaps\":[]", "\"gaps\":[{\"ms\":4,\"reason\":\"monitor-stopped\"}]");

	assert_string_equal(w.why, "");
	assert_string_equal(w.doubts, "");
	assert_int_equal(w.watched_ms, 59000);
	assert_int_equal(w.plaintext_bytes, 0); /* another server's is no concern */
	assert_int_equal(w.handshakes, 5);
	assert_int_equal(w.sessions, 1);
	assert_int_equal(w.session[0].version, TLS_1_3);
	assert_int_equal(w.session[0].suite, 0x1302);
	for (size_t i = 0; i < RULE_MAX; i++)
		assert_int_equal(w.alerts[i], 0); /* what the policy allowed is none */
}

static void what_the_monitor_did_not_see_is_named(void **state)
{
	static const struct {
		const char *was, *is, *says;
	} doubts[] = {
		{"\"gaps\":[]", "\"gaps\":[{\"ms\":7,\"reason\":\"monitor-away\"}]",
		 "7 ms unwatched (monitor-away)"},
		{"\"gaps\":[]", "\"gaps\":[],\"gaps_left_out\":1", "more gaps"},
		{"\"attached\":3", "\"attached\":2", "sensor memory: 2 of 3 programs"},
		{"\"sensors\":[", "\"sensors\":[],\"x\":[", "no sensor was attached"},
		{"\"programs\":3,\"attached\":3", "\"programs\":0,\"attached\":0",
		 "sensor memory: 0 of 0 programs"},
		{"\"clock_set_back_ms\":0", "\"clock_set_back_ms\":5", "the clock was set back"},
		{"\"ms\":59980", "\"ms\":58000", "no numbers for a part of the time"},
		{"\"unseen\":[]", "\"unseen\":[\"kcmp\"]", "unseen: kcmp"},
		{"\"attempts\":0", "\"attempts\":8", "lost attempts: 8"},
		{"\"segments_unread\":0", "\"segments_unread\":1", "wire segments_unread: 1"},
		{"\"blind\":{}", "\"blind\":{\"lag\":1}", "blind lag: 1"},
		{"\"failed\":0", "\"failed\":3", "sweeps failed: 3"},
		{"\"log_lost\":0", "\"log_lost\":2", "records lost: 2"},
		{"\"tallies_missed\":0", "\"tallies_missed\":1", "numbers of some servers"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(doubts); i++) {
		struct facts_watch w = watch_with(doubts[i].was, doubts[i].is);

		assert_string_equal(w.why, "");
		if (!strstr(w.doubts, doubts[i].says))
			fail_msg("%s: '%s'", doubts[i].is, w.doubts);
	}
}

static void alerts_are_counted_by_rule(void **state)
{
	struct facts_watch w = watch_with("\"allowed\":4", "\"alert\":4,\"prevented\":1");

	assert_int_equal(w.alerts[RULE_MEM_INSPECT], 5);
	/* those of no server */
	w = watch_with("\"accesses\":{}", "\"accesses\":{\"mem-kernel\":{\"alert\":2}}");
	assert_int_equal(w.alerts[RULE_MEM_KERNEL], 2);
}

static void a_server_that_is_not_there_was_not_watched(void **state)
{
	struct facts_watch w = watch_with("redis-server:6379", "redis-server:6380");

	assert_non_null(strstr(w.why, "did not watch"));
}

static void an_unknown_session_is_no_known_one(void **state)
{
	struct facts_watch w = watch_with("TLSv1.3 TLS_AES_256_GCM_SHA384", "unknown");

	assert_int_equal(w.session[0].version, 0);
	assert_int_equal(w.session[0].suite, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quiet_time_leaves_no_doubt),
		cmocka_unit_test(what_the_monitor_did_not_see_is_named),
		cmocka_unit_test(alerts_are_counted_by_rule),
		cmocka_unit_test(a_server_that_is_not_there_was_not_watched),
		cmocka_unit_test(an_unknown_session_is_no_known_one),
	};

	return cmocka_run_group_tests_name("validate_watch", tests, NULL, NULL);
}
