/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_chain.c - the chain of statements: its rules, and how it goes on behind a writer that was killed, in a log that was pruned, and
 * in one that cannot be read.
 */
#include "attest_log.h"

#include "base/log.h"
#include "evidence/dsse.h"
#include "evidence/prune.h"

#include <errno.h>

static const char counts[] = "{\"accesses\":{\"mem-read\":{\"alert\":2}},\"plaintext_bytes\":0}";

/* Killed between two parts: the next writer states that period again, with what came since. */
static void unfinished_period_is_stated_again(void **state)
{
	char error[READER_ERROR_LEN];
	struct verified v;
	struct book b;

	book_open(&b);
	monitor_starts(&b, AT(10, 0, 0));
	many_servers(&b);
	monitor_tallies(&b, AT(10, 0, 0), AT(10, 1, 0), counts);
	book_state(&b);
	monitor_tallies(&b, AT(10, 1, 0), AT(10, 2, 0), counts);
	b.kill = true;
	book_state(&b);
	book_close(&b);
	assert_int_equal(log_verify(&v, error), 0);
	assert_true(v.statements.more);
	assert_int_equal(v.statements.part, 1);
	book_open(&b);
	monitor_starts(&b, AT(10, 3, 0));
	monitor_tallies(&b, AT(10, 3, 0), AT(10, 4, 0), counts);
	book_state(&b);
	book_close(&b);
	if (log_verify(&v, error))
		fail_msg("%s", error);
	assert_false(v.statements.more);
	assert_int_equal(v.statements.from, AT(10, 1, 0));
	assert_int_equal(v.statements.to, AT(10, 4, 0));
}

/* --- the rules of the chain --- */

static int no_signature(void *ctx, const void *text, size_t len, uint8_t sig[NOTE_SIG_LEN])
{
	memset(sig, 0, NOTE_SIG_LEN);
	return 0;
}

static int take_part(struct chain *c, int part, bool more, int from, int to)
{
	static const struct note_key key = {.name = "x"};
	char text[512], error[CHAIN_ERROR_LEN], *envelope, *entry;
	int err,
		n = snprintf(
			text, sizeof(text),
			"{\"predicate\":{\"number\":%d,\"previous\":\"%s\",\"part\":%d,\"more\":%s,"
			"\"period\":{\"from\":%d,\"to\":%d},\"log\":{\"size\":1}}}",
			(int)c->number + 1, c->digest, part, more ? "true" : "false", from, to);

	assert_int_equal(dsse_sign(text, (size_t)n, &key, no_signature, NULL, &envelope), 0);
	assert_true(asprintf(&entry, "{\"kind\":\"statement\",\"record\":%s,\"time\":1}",
			     envelope) > 0);
	err = chain_next(c, 1, entry, strlen(entry), NULL, error);
	free(envelope);
	free(entry);
	return err;
}

static void parts_follow_each_other(void **state)
{
	struct chain c = {}, at;

	assert_int_equal(take_part(&c, 1, true, 10, 20), 0);
	at = c;
	assert_int_equal(take_part(&c, 1, false, 20, 30), -EBADMSG); /* parts are missing */
	assert_int_equal(take_part(&c, 3, false, 10, 20), -EBADMSG);
	assert_int_equal(take_part(&c, 2, false, 10, 21), -EBADMSG);
	assert_int_equal(take_part(&c, 1, false, 10, 19), -EBADMSG); /* less than was stated */
	assert_memory_equal(&c, &at, sizeof(c));
	assert_int_equal(take_part(&c, 1, false, 10, 25), 0); /* stated again */
	c = at;
	assert_int_equal(take_part(&c, 2, true, 10, 20), 0);
	assert_int_equal(take_part(&c, 3, false, 10, 20), 0);
	assert_int_equal(take_part(&c, 4, false, 10, 20), -EBADMSG); /* there is no other */
	assert_int_equal(take_part(&c, 1, false, 10, 20), -EBADMSG);
	assert_int_equal(take_part(&c, 1, false, 20, 30), 0);
	assert_int_equal(take_part(&c, 1, false, 30, 29), -EBADMSG);
}

/* --- retention --- */

/* Also where all statements and the tallies before them are gone. */
static void statements_go_on_in_a_log_that_was_pruned(void **state)
{
	char error[STORE_ERROR_LEN];
	struct verified v;
	struct account a;
	struct book b;
	uint64_t first;

	book_open(&b);
	monitor_starts(&b, AT(9, 50, 0));
	for (int i = 0; i < 3; i++) {
		monitor_tallies(&b, AT(9, 50 + i, 0), AT(9, 51 + i, 0), counts);
		book_state(&b);
	}
	for (int run = 0; run < 2; run++) {
		for (int i = 0; i < 3000; i++)
			say(&b, "event", AT(10, 0, 0) + i + run * 3000, "{\"n\":%d}", i);
		if (prune_before(b.store, UINT64_MAX, AT(10, 0, 6), &first, error))
			fail_msg("%s", error);
		assert_int_equal(first, run ? 4864 : 1792);
	}
	book_close(&b);
	assert_int_equal(log_verify(&v, error), 0);
	assert_int_equal(v.statements.number, 3);
	book_open(&b);
	monitor_starts(&b, AT(10, 10, 0));
	monitor_tallies(&b, AT(10, 10, 0), AT(10, 11, 0), counts);
	book_state(&b);
	book_close(&b);
	if (log_verify(&v, error))
		fail_msg("%s", error);
	assert_int_equal(v.statements.number, 4);
	assert_int_equal(v.statements.from, AT(9, 53, 0));
	/* what is kept of the rest is not the beginning of what the log tells */
	account_of(&a, LEDGER_FIRST, LEDGER_OPEN, NULL);
	assert_true(a.from >= AT(10, 0, 0));
	account_free(&a);
}

/* Better none than one that contradicts what was stated. */
static void unreadable_log_gets_no_statement(void **state)
{
	struct periodic *p;
	struct book b;
	char *bytes;
	size_t len;

	book_open(&b);
	monitor_starts(&b, AT(10, 0, 0));
	monitor_tallies(&b, AT(10, 0, 0), AT(10, 1, 0), counts);
	book_state(&b);
	bytes = log_read("vkey", &len);
	log_write("vkey", bytes, len / 2);
	p = periodic_new();
	periodic_hooks(p)->open(periodic_hooks(p)->ctx, store_dir(b.store), store_next(b.store));
	log_write("vkey", bytes, len);
	free(bytes);
	periodic_hooks(p)->alive(periodic_hooks(p)->ctx, AT(10, 2, 0));
	assert_int_not_equal(
		periodic_hooks(p)->make(periodic_hooks(p)->ctx, b.store, book_statement, &b), 0);
	periodic_free(p);
	book_close(&b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unfinished_period_is_stated_again),
		cmocka_unit_test(parts_follow_each_other),
		TEST(statements_go_on_in_a_log_that_was_pruned),
		TEST(unreadable_log_gets_no_statement),
	};

	log_quiet();
	return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
