/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_statement.c - statements of evidence logs: that they say what the entries say, and nothing else; their chain; their signatures
 * by OpenSSL with the commands of docs/evidence.md. Times are passed in.
 */
#include "attest_log.h"

#include "cmd/verbs.h"
#include "evidence/dsse.h"

#include <errno.h>

static const char counts[] =
	"{\"accesses\":{\"mem-read\":{\"alert\":2,\"allowed\":1}},"
	"\"allowed\":{\"/p:3\":{\"count\":1,\"reason\":\"backup\"}},"
	"\"handshakes\":{\"TLSv1.3 TLS_AES_256_GCM_SHA384\":5},\"incidents\":1,\"plaintext_bytes\":0,"
	"\"bytes\":{\"received_walked\":100,\"received_not_walked\":2,\"sent_walked\":3000,\"sent_not_walked\":0}}";

/* --- time that was watched --- */

/* From 9:50 to 11:10, but for 30 seconds from 10:20:00 on. */
static void make_hour(void)
{
	struct book b;

	book_open(&b);
	monitor_starts(&b, AT(9, 50, 0));
	monitor_lives(&b, AT(9, 50, 0), AT(10, 20, 0) - 1);
	monitor_tallies(&b, AT(9, 50, 0), AT(10, 20, 0), counts);
	book_state(&b);
	monitor_stops(&b, AT(10, 20, 0));
	book_close(&b);
	book_open(&b);
	monitor_starts(&b, AT(10, 20, 30));
	monitor_lives(&b, AT(10, 20, 30), AT(11, 10, 0));
	monitor_tallies(&b, AT(10, 20, 30), AT(11, 10, 0), counts);
	book_state(&b);
	monitor_stops(&b, AT(11, 10, 1));
	book_close(&b);
}

static void assert_gap(json_t *sum, size_t i, int64_t from, int64_t to, const char *reason)
{
	json_t *g = json_array_get(json_object_get(json_object_get(sum, "coverage"), "gaps"), i);

	assert_non_null(g);
	assert_int_equal(number(g, "from", NULL), from);
	assert_int_equal(number(g, "to", NULL), to);
	assert_int_equal(number(g, "ms", NULL), to - from);
	assert_string_equal(json_string_value(json_object_get(g, "reason")), reason);
}

static size_t gaps(json_t *sum)
{
	return json_array_size(json_object_get(json_object_get(sum, "coverage"), "gaps"));
}

static bool is_unknown(json_t *sum, const char *what)
{
	json_t *all = json_object_get(sum, "unknown");

	for (size_t i = 0; i < json_array_size(all); i++) {
		if (strstr(json_string_value(json_array_get(all, i)), what))
			return true;
	}
	return false;
}

static void an_hour_with_a_gap_of_30_seconds_says_exactly_that(void **state)
{
	struct account a;
	json_t *row;

	make_hour();
	account_of(&a, AT(10, 0, 0), AT(11, 0, 0), "redis-server:6379");
	assert_int_equal(number(a.sum, "coverage", "watched_ms"), HOUR - 30 * SECOND);
	assert_int_equal(number(a.sum, "coverage", "not_watched_ms"), 30 * SECOND);
	assert_int_equal(gaps(a.sum), 1);
	assert_gap(a.sum, 0, AT(10, 20, 0), AT(10, 20, 30), "monitor-stopped");
	row = json_array_get(json_object_get(a.sum, "servers"), 0);
	assert_int_equal(json_array_size(json_object_get(a.sum, "servers")), 1);
	assert_int_equal(number(row, "watched_ms", NULL), HOUR - 30 * SECOND);
	row = json_object_get(row, "counts");
	assert_int_equal(number(json_object_get(row, "accesses"), "mem-read", "alert"), 4);
	assert_int_equal(number(json_object_get(row, "allowed"), "/p:3", "count"), 2);
	assert_int_equal(number(row, "handshakes", "TLSv1.3 TLS_AES_256_GCM_SHA384"), 10);
	assert_int_equal(number(row, "bytes", "sent_walked"), 6000);
	assert_int_equal(number(row, "bytes", "received_not_walked"), 4);
	assert_false(is_unknown(a.sum, "checked to be TLS records"));
	row = json_object_get(a.sum, "counts");
	assert_int_equal(number(row, "sweeps", "count"), 360);
	assert_int_equal(number(row, "sweeps", "longest_gap_ms"), 5100);
	assert_int_equal(a.statements, 2);
	account_free(&a);
}

static void an_hour_without_a_gap_has_none(void **state)
{
	struct account a;

	make_hour();
	account_of(&a, AT(10, 20, 30), AT(11, 0, 30), NULL);
	assert_int_equal(number(a.sum, "coverage", "not_watched_ms"), 0);
	assert_int_equal(number(a.sum, "coverage", "watched_ms"), 40 * MINUTE);
	assert_int_equal(gaps(a.sum), 0);
	account_free(&a);
}

/* Before the log and behind it nobody is known to have watched. */
/* Of the hour from 10:00 on; another monitor takes over at 10:20:00, if the next one says so by from. */
static void make_handover(const char *from)
{
	struct book b;

	book_open(&b);
	monitor_starts(&b, AT(9, 50, 0));
	monitor_lives(&b, AT(9, 50, 0), AT(10, 20, 0) - 1);
	monitor_tallies(&b, AT(9, 50, 0), AT(10, 20, 0), counts);
	monitor_hands_over(&b, AT(10, 20, 0), AT(10, 20, 0) + 200);
	book_close(&b);
	book_open(&b);
	monitor_starts_from(&b, AT(10, 20, 2), from);
	monitor_lives(&b, AT(10, 20, 2), AT(11, 10, 0));
	monitor_tallies(&b, AT(10, 20, 0), AT(11, 10, 0), counts);
	monitor_stops(&b, AT(11, 10, 1));
	book_close(&b);
}

static void a_handover_is_no_gap(void **state)
{
	struct account a;
	char from[64];
	json_t *row;

	snprintf(from, sizeof(from), "\"from_pid\":6,\"from_at\":%lld,", (long long)AT(10, 20, 0));
	make_handover(from);
	account_of(&a, AT(10, 0, 0), AT(11, 0, 0), "redis-server:6379");
	assert_int_equal(number(a.sum, "coverage", "watched_ms"), HOUR);
	assert_int_equal(number(a.sum, "coverage", "not_watched_ms"), 0);
	assert_int_equal(gaps(a.sum), 0);
	assert_int_equal(number(a.sum, "coverage", "monitor_starts"), 1);
	row = json_array_get(json_object_get(a.sum, "servers"), 0);
	assert_int_equal(json_array_size(json_object_get(a.sum, "servers")), 1);
	assert_int_equal(number(row, "watched_ms", NULL), HOUR);
	row = json_object_get(row, "counts");
	assert_int_equal(number(json_object_get(row, "accesses"), "mem-read", "alert"), 4);
	account_free(&a);
}

/* The monitor that was to take over never did: one started later says nothing of it, or something else. */
static void a_handover_to_nobody_is_a_gap(void **state)
{
	static const char *const from[] = {"", "\"from_pid\":6,\"from_at\":1,"};
	struct account a;

	for (size_t i = 0; i < 2; i++) {
		make_handover(from[i]);
		account_of(&a, AT(10, 0, 0), AT(11, 0, 0), NULL);
		assert_int_equal(gaps(a.sum), 1);
		assert_gap(a.sum, 0, AT(10, 20, 0) + 203, AT(10, 20, 2), "monitor-stopped");
		account_free(&a);
		scratch_remove(state);
		scratch_make(state);
	}
}

static void what_the_log_does_not_reach_is_not_watched(void **state)
{
	struct account a;

	make_hour();
	account_of(&a, AT(9, 0, 0), AT(13, 0, 0), NULL);
	assert_gap(a.sum, 0, AT(9, 0, 0), AT(9, 50, 0) - 600, "before-log");
	assert_gap(a.sum, 1, AT(9, 50, 0) - 600, AT(9, 50, 0), "starting");
	assert_gap(a.sum, 3, AT(11, 10, 1), AT(13, 0, 0), "monitor-stopped");
	assert_int_equal(number(a.sum, "coverage", "watched_ms") +
				 number(a.sum, "coverage", "not_watched_ms"),
			 4 * HOUR);
	account_free(&a);
}

static void feed(struct ledger *l, const char *kind, int64_t time, const char *record)
{
	char entry[1024];
	int n = snprintf(entry, sizeof(entry), "{\"kind\":\"%s\",\"record\":%s,\"time\":%lld}",
			 kind, record, (long long)time);

	ledger_entry(l, entry, (size_t)n);
}

#define ON "{\"programs\":[{\"sensor\":\"memory\",\"tier\":\"access\",\"attached\":true}]}"
#define OFF                                                                                        \
	"{\"programs\":[{\"sensor\":\"memory\",\"tier\":\"access\",\"attached\":false,\"unseen\":\"reads\"}]}"

static json_t *sum_of(struct ledger *l, int64_t to)
{
	json_t *sum = ledger_sum(l, to, NULL);

	assert_non_null(sum);
	ledger_free(l);
	return sum;
}

static struct ledger *running(int64_t from, int64_t to, int64_t started)
{
	struct ledger *l = ledger_new(from, to, false);

	assert_non_null(l);
	feed(l, "start", started, "{}");
	feed(l, "sensors", started, ON);
	return l;
}

/* The last entry of a monitor that was killed is all that is known of it, also where the next one follows soon. */
static void monitor_killed_and_started_at_once(void **state)
{
	struct ledger *l = running(AT(10, 0, 0), AT(11, 0, 0), AT(9, 59, 0));
	json_t *sum;

	for (int64_t t = AT(10, 0, 0); t <= AT(10, 30, 0); t += MINUTE)
		feed(l, "alive", t, "{}");
	feed(l, "epoch", AT(10, 30, 20), "{}"); /* of the next one */
	feed(l, "recovery", AT(10, 30, 20), "{}");
	feed(l, "start", AT(10, 30, 20), "{}");
	feed(l, "sensors", AT(10, 30, 22), ON);
	for (int64_t t = AT(10, 31, 0); t <= AT(11, 1, 0); t += MINUTE)
		feed(l, "alive", t, "{}");
	sum = sum_of(l, AT(11, 0, 0));
	assert_int_equal(gaps(sum), 1);
	assert_gap(sum, 0, AT(10, 30, 0), AT(10, 30, 22), "monitor-killed");
	assert_int_equal(number(sum, "coverage", "not_watched_ms"), 22 * SECOND);
	json_decref(sum);
}

/* A delegation is an entry, too: a quiet log may have no other one for two minutes. */
static void change_of_keys_is_no_silence(void **state)
{
	struct ledger *l = running(AT(10, 0, 0), AT(10, 10, 0), AT(9, 59, 0));
	json_t *sum;

	feed(l, "alive", AT(10, 0, 0), "{}");
	feed(l, "epoch", AT(10, 0, 59), "{}");
	feed(l, "alive", AT(10, 2, 0), "{}");
	for (int64_t t = AT(10, 3, 0); t <= AT(10, 11, 0); t += MINUTE)
		feed(l, "alive", t, "{}");
	sum = sum_of(l, AT(10, 10, 0));
	assert_int_equal(gaps(sum), 0);
	assert_int_equal(number(sum, "coverage", "watched_ms"), 10 * MINUTE);
	json_decref(sum);
}

static void silence_is_not_watched(void **state)
{
	struct ledger *l = running(AT(10, 0, 0), AT(10, 10, 0), AT(9, 59, 0));
	json_t *sum;

	feed(l, "alive", AT(10, 0, 0), "{}");
	feed(l, "alive", AT(10, 5, 0), "{}");
	for (int64_t t = AT(10, 6, 0); t <= AT(10, 11, 0); t += MINUTE)
		feed(l, "alive", t, "{}");
	sum = sum_of(l, AT(10, 10, 0));
	assert_int_equal(gaps(sum), 1);
	assert_gap(sum, 0, AT(10, 0, 0), AT(10, 5, 0), "monitor-silent");
	json_decref(sum);
}

static void away(struct ledger *l, int64_t from, int64_t to)
{
	char record[96];

	snprintf(record, sizeof(record), "{\"from\":%lld,\"to\":%lld}", (long long)from,
		 (long long)to);
	feed(l, "away", to + 2, record);
}

/* Stopped for 30 seconds, and hung for some minutes while its other thread wrote keys and even a sign of life. */
static void absence_is_not_watched(void **state)
{
	struct ledger *l = running(AT(10, 0, 0), AT(10, 20, 0), AT(9, 59, 0));
	json_t *sum;

	for (int64_t t = AT(10, 0, 0); t <= AT(10, 3, 0); t += MINUTE)
		feed(l, "alive", t, "{}");
	away(l, AT(10, 3, 10) + 7, AT(10, 3, 40) + 7);
	feed(l, "alive", AT(10, 4, 40), "{}");
	feed(l, "instance", AT(10, 5, 30),
	     "{\"change\":\"found\",\"id\":3,\"pid\":9,\"uid\":\"u\"}");
	feed(l, "alive", AT(10, 6, 0), "{}");
	feed(l, "epoch", AT(10, 6, 10), "{}");
	feed(l, "clock", AT(10, 7, 0), "{}");
	away(l, AT(10, 5, 0), AT(10, 8, 0));
	for (int64_t t = AT(10, 9, 0); t <= AT(10, 11, 0); t += MINUTE)
		feed(l, "alive", t, "{}");
	away(l, AT(10, 11, 30), AT(10, 16, 30)); /* longer than silence lasts */
	for (int64_t t = AT(10, 17, 0); t <= AT(10, 21, 0); t += MINUTE)
		feed(l, "alive", t, "{}");
	sum = sum_of(l, AT(10, 20, 0));
	assert_int_equal(gaps(sum), 3);
	assert_gap(sum, 0, AT(10, 3, 10) + 7, AT(10, 3, 40) + 7, "monitor-away");
	assert_gap(sum, 1, AT(10, 5, 0), AT(10, 8, 0), "monitor-away");
	assert_gap(sum, 2, AT(10, 11, 30), AT(10, 16, 30), "monitor-away");
	assert_int_equal(number(sum, "coverage", "not_watched_ms"), 8 * MINUTE + 30 * SECOND);
	assert_int_equal(number(sum, "coverage", "watched_ms"), 11 * MINUTE + 30 * SECOND);
	assert_int_equal(
		number(json_array_get(json_object_get(sum, "servers"), 0), "watched_ms", NULL),
		7 * MINUTE); /* since 10:05:30, of which 10:08 to 10:11:30 and 10:16:30 on */
	json_decref(sum);
}

static void lost_sensors_are_not_watched_and_named(void **state)
{
	struct ledger *l = running(AT(10, 0, 0), AT(10, 10, 0), AT(9, 59, 30));
	json_t *sum;

	for (int64_t t = AT(10, 0, 0); t <= AT(10, 4, 0); t += MINUTE)
		feed(l, "alive", t, "{}");
	feed(l, "sensors", AT(10, 4, 10), OFF);
	for (int64_t t = AT(10, 5, 0); t <= AT(10, 11, 0); t += MINUTE)
		feed(l, "alive", t, "{}");
	sum = sum_of(l, AT(10, 10, 0));
	assert_int_equal(gaps(sum), 1);
	assert_gap(sum, 0, AT(10, 4, 10), AT(10, 10, 0), "sensors-lost");
	assert_int_equal(
		number(json_array_get(json_object_get(sum, "sensors"), 0), "attached", NULL), 0);
	assert_string_equal(json_string_value(json_array_get(json_object_get(sum, "unseen"), 0)),
			    "reads");
	json_decref(sum);
}

static void monitor_without_sensors_watches_nothing(void **state)
{
	struct ledger *l = ledger_new(AT(10, 0, 0), AT(10, 10, 0), false);
	json_t *sum;

	feed(l, "start", AT(9, 59, 0), "{}");
	feed(l, "sensors", AT(9, 59, 30), OFF);
	for (int64_t t = AT(10, 0, 0); t <= AT(10, 11, 0); t += MINUTE)
		feed(l, "alive", t, "{}");
	sum = sum_of(l, AT(10, 10, 0));
	assert_int_equal(number(sum, "coverage", "watched_ms"), 0);
	assert_gap(sum, 0, AT(10, 0, 0), AT(10, 10, 0), "sensors-lost");
	json_decref(sum);
}

/* The log could not take a server's tally. */
static void missing_tally_is_said(void **state)
{
	for (int there = 1; there <= 2; there++) {
		struct ledger *l = running(AT(10, 0, 0), AT(10, 10, 0), AT(9, 59, 0));
		char record[160];
		json_t *sum;

		for (int i = 0; i < there; i++) {
			snprintf(
				record, sizeof(record),
				"{\"from\":%lld,\"to\":%lld,\"id\":%d,\"uid\":\"u%d\",\"alive\":true}",
				AT(9, 59, 0), AT(10, 5, 0), i + 1, i);
			feed(l, "tally", AT(10, 5, 0), record);
		}
		snprintf(record, sizeof(record),
			 "{\"from\":%lld,\"to\":%lld,\"server_tallies\":2,\"counts\":{}}",
			 AT(9, 59, 0), AT(10, 5, 0));
		feed(l, "tally", AT(10, 5, 0), record);
		sum = sum_of(l, AT(10, 10, 0));
		assert_int_equal(number(sum, "tallies_missed", NULL), 2 - there);
		json_decref(sum);
	}
}

static void clock_that_is_set_back_counts_no_time_twice(void **state)
{
	struct ledger *l = running(AT(10, 0, 0), AT(10, 10, 0), AT(9, 59, 0));
	json_t *sum;

	for (int64_t t = AT(10, 0, 0); t <= AT(10, 6, 0); t += MINUTE)
		feed(l, "alive", t, "{}");
	for (int64_t t = AT(10, 3, 0); t <= AT(10, 11, 0); t += MINUTE)
		feed(l, "alive", t, "{}");
	sum = sum_of(l, AT(10, 10, 0));
	assert_int_equal(number(sum, "coverage", "watched_ms"), 10 * MINUTE);
	assert_true(number(sum, "coverage", "clock_set_back_ms") >= 3 * MINUTE);
	json_decref(sum);
}

/* Of a log whose beginning was removed, a tally is the first that says somebody watches, and with what. */
static void log_without_its_beginning(void **state)
{
	struct ledger *l = ledger_new(AT(10, 0, 0), AT(11, 0, 0), false);
	json_t *sum;

	assert_non_null(l);
	feed(l, "epoch", AT(3, 0, 0), "{}");
	feed(l, "alive", AT(10, 14, 0), "{}");
	feed(l, "tally", AT(10, 15, 0),
	     "{\"from\":1793354400000,\"to\":1793355300000,\"every_s\":900,\"sensors_lost\":false,"
	     "\"sensors\":[{\"sensor\":\"memory\",\"tier\":\"access\",\"programs\":3,\"attached\":3}],"
	     "\"counts\":{\"sweeps\":{\"count\":7}}}");
	for (int64_t t = AT(10, 16, 0); t <= AT(11, 1, 0); t += MINUTE)
		feed(l, "alive", t, "{}");
	sum = sum_of(l, AT(11, 0, 0));
	assert_int_equal(gaps(sum), 2);
	assert_gap(sum, 0, AT(10, 0, 0), AT(10, 14, 0), "before-log");
	assert_gap(sum, 1, AT(10, 14, 0), AT(10, 15, 0), "starting");
	assert_int_equal(number(sum, "coverage", "watched_ms"), 45 * MINUTE);
	assert_int_equal(number(json_object_get(sum, "counts"), "sweeps", "count"), 7);
	assert_int_equal(
		number(json_array_get(json_object_get(sum, "sensors"), 0), "attached", NULL), 3);
	json_decref(sum);
}

/* What no tally covers is said to be unknown. */
static void what_was_not_counted_is_unknown(void **state)
{
	struct ledger *l = running(AT(10, 0, 0), AT(10, 10, 0), AT(9, 59, 0));
	json_t *sum;

	for (int64_t t = AT(10, 0, 0); t <= AT(10, 11, 0); t += MINUTE)
		feed(l, "alive", t, "{}");
	sum = sum_of(l, AT(10, 10, 0));
	assert_true(is_unknown(sum, "in 10 min that were watched"));
	assert_int_equal(json_object_size(json_object_get(sum, "counts")), 0);
	json_decref(sum);
}

/* Tallies of older logs have no bytes, and newer ones may not have all. */
static void bytes_that_were_not_counted_are_unknown(void **state)
{
	static const char *const host[] = {"{}", "{\"connections\":{\"bytes_not_read\":1}}",
					   "{\"connections\":{\"bytes_counted_later\":1}}",
					   "{\"lost\":{\"connection_ends\":1}}"};

	for (size_t i = 0; i < 4; i++) {
		struct ledger *l = running(AT(10, 0, 0), AT(10, 10, 0), AT(9, 59, 0));
		char more[400];
		json_t *sum;

		for (int64_t t = AT(10, 0, 0); t <= AT(10, 9, 0); t += MINUTE)
			feed(l, "alive", t, "{}");
		snprintf(
			more, sizeof(more),
			"{\"from\":%lld,\"to\":%lld,\"id\":1,\"pid\":1,\"name\":\"r\",\"uid\":\"r/b\",\"alive\":true,"
			"\"counts\":{\"incidents\":0%s}}",
			(long long)AT(10, 0, 0), (long long)AT(10, 9, 0), i ? ",\"bytes\":{}" : "");
		feed(l, "tally", AT(10, 9, 0), more);
		snprintf(more, sizeof(more), "{\"from\":%lld,\"to\":%lld,\"counts\":%s}",
			 (long long)AT(10, 0, 0), (long long)AT(10, 9, 0), host[i]);
		feed(l, "tally", AT(10, 9, 0), more);
		sum = sum_of(l, AT(10, 9, 0));
		assert_int_equal(is_unknown(sum, "checked to be TLS records"), i == 0);
		assert_int_equal(is_unknown(sum, "that were open at the end"), i == 1 || i == 2);
		assert_int_equal(is_unknown(sum, "report of their end was lost"), i == 3);
		json_decref(sum);
	}
}

/* --- signatures --- */

/* The commands of the document that follow a mark, run as they stand there. */
static char *commands_after(const char *mark)
{
	char *text, *begin, *end;
	size_t len;

	assert_int_equal(disk_read(AT_FDCWD, "docs/evidence.md", 1 << 20, &text, &len), 0);
	begin = strstr(text, mark);
	assert_non_null(begin);
	begin = strstr(begin, "```\n") + 4;
	end = strstr(begin, "```");
	*end = '\0';
	memmove(text, begin, strlen(begin) + 1);
	return text;
}

static void openssl_verifies(const char *name, int want)
{
	char *commands = commands_after("<!-- commands: statement -->");

	assert_int_equal(shell("cp %s statement.json; set -e\n%s", name, commands) != 0, want != 0);
	free(commands);
}

static void openssl_verifies_what_the_log_signed(void **state)
{
	make_hour();
	assert_int_equal(
		command(cmd_evidence, "s1", "err", "statement", "--number", "1", log_dir, NULL), 0);
	openssl_verifies("s1", 0);
	assert_int_equal(shell("grep -q '\"number\":1,' payload"), 0);
	assert_int_equal(
		command(cmd_evidence, "s2", "err", "statement", "--number", "9", log_dir, NULL), 1);
	assert_int_equal(shell("sed 's/eyJfdHlwZSI6Imh0dHBz/eyJfdHlwZSI6Imh0dHBT/' s1 >changed; "
			       "! cmp -s s1 changed"),
			 0);
	openssl_verifies("changed", 1);
}

static void openssl_verifies_what_is_asked_for(void **state)
{
	make_hour();
	assert_int_equal(command(cmd_evidence, "asked", "err", "statement", "--instance",
				 "redis-server:6379", "--from", "2026-10-30T10:00:00", "--to",
				 "2026-10-30T11:00:00", log_dir, NULL),
			 0);
	openssl_verifies("asked", 0);
	assert_int_equal(shell("grep -q '\"not_watched_ms\":30000' payload"), 0);
	/* by the identity: its key is the one that the directory names */
	assert_int_equal(shell("grep -q \"$(cat log/vkey)\" asked"), 0);
	assert_int_equal(unlink(log_path("identity.pem")), 0);
	assert_int_equal(command(cmd_evidence, "asked", "err", "statement", log_dir, NULL), 3);
	assert_int_equal(shell("grep -q -e --unsigned err"), 0);
	assert_int_equal(
		command(cmd_evidence, "asked", "err", "statement", "--unsigned", log_dir, NULL), 0);
	assert_int_equal(shell("grep -q '^{\"_type\":\"https://in-toto.io/Statement/v1\"' asked"),
			 0);
}

static void wrong_questions_are_said(void **state)
{
	make_hour();
	assert_int_equal(command(cmd_evidence, "out", "err", "statement", "--instance", "nobody",
				 log_dir, NULL),
			 3);
	assert_int_equal(shell("grep -q 'redis-server:6379' err"), 0);
	assert_int_equal(
		command(cmd_evidence, "out", "err", "statement", "--from", "noon", log_dir, NULL),
		2);
	assert_int_equal(command(cmd_evidence, "out", "err", "statement", "--from", "2026-10-30",
				 "--to", "2026-10-29", log_dir, NULL),
			 2);
	assert_int_equal(command(cmd_evidence, "out", "err", "statement", "--from",
				 "@9223372036854775807", log_dir, NULL),
			 2);
	assert_int_equal(command(cmd_evidence, "out", "err", "statement", "--month", "2026-13",
				 log_dir, NULL),
			 2);
	log_write("checkpoint", "x", 1);
	assert_int_equal(command(cmd_evidence, "out", "err", "statement", log_dir, NULL), 1);
}

/* --- the schema --- */

static void statements_are_what_the_schema_says(void **state)
{
	static const char *const names[] = {"s1", "s2", "asked", "month"};
	char top[256];

	if (shell("python3 -c 'import jsonschema'"))
		skip();
	make_hour();
	assert_non_null(getcwd(top, sizeof(top)));
	assert_int_equal(command(cmd_evidence, "s1", "err", "statement", "--unsigned", "--number",
				 "1", log_dir, NULL),
			 0);
	assert_int_equal(command(cmd_evidence, "s2", "err", "statement", "--unsigned", "--number",
				 "2", log_dir, NULL),
			 0);
	assert_int_equal(
		command(cmd_evidence, "asked", "err", "statement", "--unsigned", log_dir, NULL), 0);
	assert_int_equal(command(cmd_evidence, "month", "err", "statement", "--unsigned", "--month",
				 "2026-10", log_dir, NULL),
			 0);
	for (size_t i = 0; i < 4; i++) {
		char *said;

		if (!shell("python3 -m jsonschema -i %s %s/docs/statement.schema.json", names[i],
			   top))
			continue;
		said = scratch_read("out");
		fail_msg("%s: %s", names[i], said);
	}
}

/* --- the chain --- */

static void statements_follow_each_other(void **state)
{
	char error[READER_ERROR_LEN];
	struct verified v;

	make_hour();
	assert_int_equal(log_verify(&v, error), 0);
	assert_int_equal(v.statements.count, 2);
	assert_int_equal(v.statements.number, 2);
	assert_int_equal(v.statements.from, AT(10, 20, 0));
	assert_int_equal(v.statements.to, AT(11, 10, 0));
}

/* The second one, about the gap, says so though another process made it. */
static void the_next_writer_states_the_gap(void **state)
{
	json_t *v, *p;
	char *text;

	make_hour();
	assert_int_equal(command(cmd_evidence, "s2", "err", "statement", "--unsigned", "--number",
				 "2", log_dir, NULL),
			 0);
	text = scratch_read("s2");
	v = json_loads(text, 0, NULL);
	p = json_object_get(v, "predicate");
	assert_int_equal(number(p, "coverage", "not_watched_ms"), 30 * SECOND);
	assert_gap(p, 0, AT(10, 20, 0), AT(10, 20, 30), "monitor-stopped");
	assert_int_equal(number(p, "period", "from"), AT(10, 20, 0));
	assert_int_equal(
		number(json_array_get(json_object_get(p, "servers"), 0), "watched_ms", NULL),
		49 * MINUTE + 30 * SECOND);
	assert_int_equal(number(p, "log", "size") > 50, 1);
	json_decref(v);
	free(text);
}

static void a_missing_statement_is_found(void **state)
{
	char error[READER_ERROR_LEN];
	struct verified v;
	struct book b;

	book_open(&b);
	monitor_starts(&b, AT(10, 0, 0));
	for (int i = 0; i < 3; i++) {
		monitor_tallies(&b, AT(10, i, 0), AT(10, i + 1, 0), counts);
		b.drop = i == 1;
		book_state(&b);
	}
	book_close(&b);
	assert_int_equal(log_verify(&v, error), -EBADMSG);
	assert_non_null(strstr(error, "is statement 3, and the one before it"));
}

static void many_servers_take_several_statements(void **state)
{
	char error[READER_ERROR_LEN];
	struct verified v;
	struct account a;
	struct book b;

	book_open(&b);
	monitor_starts(&b, AT(10, 0, 0));
	many_servers(&b);
	monitor_tallies(&b, AT(10, 0, 0), AT(10, 1, 0), counts);
	book_state(&b);
	monitor_tallies(&b, AT(10, 1, 0), AT(10, 2, 0), counts);
	book_state(&b);
	book_close(&b);
	if (log_verify(&v, error))
		fail_msg("%s", error);
	assert_true(v.statements.count > 4 && v.statements.count % 2 == 0);
	assert_int_equal(v.statements.from, AT(10, 1, 0));
	account_of(&a, AT(10, 0, 0), AT(10, 2, 0), NULL);
	assert_int_equal(json_array_size(json_object_get(a.sum, "servers")), 201);
	account_free(&a);
}

/* The thread of the writer makes them, in the right place. */
static void the_writer_states_what_it_is_asked_to(void **state)
{
	static const char tally[] = "{\"from\":1,\"to\":2,\"every_s\":900,\"counts\":{}}";
	struct periodic *p = periodic_new();
	char error[STORE_ERROR_LEN];
	struct writer_status s;
	struct verified v;
	struct writer *w;

	for (int run = 0; run < 2; run++) {
		assert_int_equal(
			writer_start(&w, log_dir, "host.example", periodic_hooks(p), error), 0);
		writer_put(w, "start", "{}", 2, false);
		writer_put(w, "sensors", ON, strlen(ON), false);
		for (int i = 0; i < 600; i++)
			writer_put(w, "event", "{}", 2, false);
		writer_put_stated(w, "tally", tally, strlen(tally));
		for (int i = 0; i < 600; i++)
			writer_put(w, "event", "{}", 2, false);
		writer_put_stated(w, "tally", tally, strlen(tally));
		writer_put(w, "totals", "{}", 2, false);
		assert_int_equal(writer_stop(w, WRITER_STOP_MS, &s), 0);
		periodic_free(p);
		p = periodic_new();
	}
	periodic_free(p);
	if (log_verify(&v, error))
		fail_msg("%s", error);
	assert_int_equal(v.statements.count, 4);
	assert_int_equal(v.size, 2 * (1 + 2 + 601 + 1 + 601 + 1 + 2));
}

/* --- a month --- */

static void a_month_adds_up(void **state)
{
	json_t *v, *p;
	char *text;

	make_hour();
	assert_int_equal(command(cmd_evidence, "m", "err", "statement", "--month", "2026-10",
				 "--unsigned", log_dir, NULL),
			 0);
	text = scratch_read("m");
	v = json_loads(text, 0, NULL);
	p = json_object_get(v, "predicate");
	assert_int_equal(number(p, "coverage", "watched_ms"), 80 * MINUTE - 30 * SECOND + SECOND);
	assert_int_equal(number(p, "statements", "count"), 2);
	json_decref(v);
	free(text);
	assert_int_equal(command(cmd_evidence, "m.html", "err", "statement", "--month", "2026-10",
				 "--format", "html", log_dir, NULL),
			 0);
	assert_int_equal(shell("grep -q 'PCI DSS' m.html && grep -q 'redis-server:6379' m.html && "
			       "! grep -q '<script' m.html"),
			 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_hour_with_a_gap_of_30_seconds_says_exactly_that),
		TEST(an_hour_without_a_gap_has_none),
		TEST(a_handover_is_no_gap),
		TEST(a_handover_to_nobody_is_a_gap),
		TEST(what_the_log_does_not_reach_is_not_watched),
		TEST(monitor_killed_and_started_at_once),
		TEST(change_of_keys_is_no_silence),
		TEST(silence_is_not_watched),
		TEST(absence_is_not_watched),
		TEST(lost_sensors_are_not_watched_and_named),
		TEST(monitor_without_sensors_watches_nothing),
		TEST(missing_tally_is_said),
		TEST(clock_that_is_set_back_counts_no_time_twice),
		TEST(log_without_its_beginning),
		TEST(what_was_not_counted_is_unknown),
		TEST(bytes_that_were_not_counted_are_unknown),
		TEST(openssl_verifies_what_the_log_signed),
		TEST(openssl_verifies_what_is_asked_for),
		TEST(wrong_questions_are_said),
		TEST(statements_are_what_the_schema_says),
		TEST(statements_follow_each_other),
		TEST(the_next_writer_states_the_gap),
		TEST(a_missing_statement_is_found),
		TEST(many_servers_take_several_statements),
		TEST(the_writer_states_what_it_is_asked_to),
		TEST(a_month_adds_up),
	};

	return cmocka_run_group_tests_name("statement", tests, NULL, NULL);
}
