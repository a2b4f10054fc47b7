/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_prune.c - retention: what remains of a log verifies as before, the log itself says what is gone, and nobody else can remove
 * entries. unlinkat() and openat() are those below.
 */
#include "witness_server.h"

#include "base/log.h"
#include "base/macros.h"
#include "cmd/verbs.h"
#include "evidence/prove.h"
#include "evidence/prune.h"

#include <sys/syscall.h>

static int unlinks_left = -1; /* then it fails; negative: it does not */

int unlinkat(int dir, const char *path, int flags)
{
	if (!unlinks_left) {
		errno = EIO;
		return -1;
	}
	unlinks_left -= unlinks_left > 0;
	return (int)syscall(SYS_unlinkat, dir, path, flags);
}

static const char *prune_at; /* another process prunes when this file is about to be opened */
static void prune_meanwhile(void);

int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (flags & O_CREAT) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	if (prune_at && !strcmp(path, prune_at)) {
		prune_at = NULL;
		prune_meanwhile();
	}
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

/* 5000 entries of several writers and keys. */
static void make(void)
{
	struct recovery found;
	struct store *s;

	log_make(1500);
	s = log_open(&found);
	log_fill(s, 1500, 3000);
	assert_int_equal(store_rotate(s, 7), 0);
	assert_int_equal(store_finish(s), 0);
	store_close(s);
	s = log_open(&found);
	log_fill(s, 3000, 4900);
	assert_int_equal(store_rotate(s, 8), 0);
	log_fill(s, 4900, 5000 - 4);
	store_close(s);
	assert_verifies(5000);
}

static uint64_t prune_log(uint64_t before)
{
	char error[STORE_ERROR_LEN];
	struct recovery found;
	struct store *s = log_open(&found);
	uint64_t first;

	if (prune_before(s, before, 9, &first, error))
		fail_msg("cannot prune: %s", error);
	assert_int_equal(store_finish(s), 0);
	store_close(s);
	return first;
}

static void prune_meanwhile(void)
{
	assert_int_equal(prune_log(3072), 3072);
}

static uint64_t check(void)
{
	char error[READER_ERROR_LEN];
	struct verified v;

	if (log_verify(&v, error))
		fail_msg("does not verify: %s", error);
	return v.pruned;
}

static void assert_blames(const char *what)
{
	char error[READER_ERROR_LEN];
	struct verified v;

	assert_int_equal(log_verify(&v, error), -EBADMSG);
	if (!strstr(error, what))
		fail_msg("not '%s', but: %s", what, error);
}

static void what_remains_verifies(void **state)
{
	static const struct {
		uint64_t before, first;
	} steps[] = {{0, 0},	   {255, 0},	       {256, 256},   {500, 256},	{512, 512},
		     {3100, 3072}, {UINT64_MAX, 3840}, {1000, 3840}, {UINT64_MAX, 3840}};
	char error[READER_ERROR_LEN];
	struct verified v;

	make();
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		assert_int_equal(prune_log(steps[i].before), steps[i].first);
		assert_int_equal(check(), steps[i].first);
	}
	assert_int_equal(log_verify(&v, error), 0);
	assert_int_equal(v.epochs, 5 + ARRAY_SIZE(steps)); /* every key, back to the first one */
	assert_int_equal(v.starts, 3 + ARRAY_SIZE(steps));
	assert_int_not_equal(access(log_path("tile/entries/011"), F_OK), 0);
	assert_int_not_equal(access(log_path("tile/entries/011.p"), F_OK), 0);
	assert_int_equal(access(log_path("tile/entries/015"), F_OK), 0);
	assert_int_equal(access(log_path("tile/0/000"), F_OK), 0);
}

static int count(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	uint64_t *seen = ctx;

	assert_true(entry_is(entry, len, "epoch") || at->index >= 3072);
	(*seen)++;
	return 0;
}

static void entries_and_proofs_of_what_remains(void **state)
{
	uint64_t seen = 0;
	struct reader r;
	char *text;

	make();
	assert_int_equal(prune_log(3072), 3072);
	assert_int_equal(reader_open(&r, log_dir), 0);
	assert_int_equal(reader_each(&r, 0, count, &seen, NULL), 0);
	assert_int_equal(seen, r.checkpoint.size - 3072 + 4);
	assert_int_equal(prove(&r, 1700, &text), -EBADMSG);
	assert_string_equal(r.error, "entry 1700: was pruned; entries from 3072 on are there");
	reader_close(&r);
	for (uint64_t i = 3072; i < 5000; i += 77) {
		assert_int_equal(reader_open(&r, log_dir), 0);
		assert_int_equal(prove(&r, i, &text), 0);
		free(text);
		reader_close(&r);
	}
	assert_int_equal(reader_open(&r, log_dir), 0);
	assert_int_equal(prove(&r, 1500, &text), 0); /* a delegation */
	free(text);
	reader_close(&r);
}

/* Of a time that was pruned, too: hashes stay. */
static void earlier_checkpoints_are_still_prefixes(void **state)
{
	char file[256], *early;
	struct recovery found;
	struct verified v;
	struct reader r;
	struct store *s;
	size_t len;
	FILE *f;

	log_make(777);
	early = log_read("checkpoint", &len);
	snprintf(file, sizeof(file), "%s/early", scratch);
	f = fopen(file, "w");
	fwrite(early, 1, len, f);
	fclose(f);
	free(early);
	s = log_open(&found);
	log_fill(s, 777, 3000);
	store_close(s);
	witness_begin();
	assert_cosigned(3001);
	assert_int_equal(prune_log(1024), 1024);
	assert_int_equal(verify(&r, log_dir, NULL, file, &v), 0);
	assert_int_equal(v.earlier, 777);
	reader_close(&r);
	assert_cosigned(3001 + 2);
	witness_end();
}

static void old_entries_go_by_their_time(void **state)
{
	char error[STORE_ERROR_LEN];
	struct recovery found;
	struct store *s = log_open(&found);
	uint64_t first;

	for (int64_t i = 0; i < 4000; i++)
		assert_int_equal(entry_make("event", 2000000000000 + i, "{}", 2, log_append_one, s),
				 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(prune_older(s, 2000000001000, 9, 1, &first, error), PRUNE_MORE);
	assert_int_equal(first, 256);
	assert_int_equal(prune_older(s, 2000000001000, 9, 0, &first, error), 0);
	assert_int_equal(first, 768); /* of 1001 */
	assert_int_equal(prune_older(s, 2000000001000, 9, 1, &first, error), 0);
	assert_int_equal(first, 768);
	assert_int_equal(prune_older(s, 3000000000000, 9, 5, &first, error), PRUNE_MORE);
	assert_int_equal(first, 2048);
	assert_int_equal(prune_older(s, 3000000000000, 9, 5, &first, error), 0);
	assert_int_equal(first, 2816); /* 1024 stay of 4004 */
	store_close(s);
	assert_int_equal(check(), 2816);
}

static void time_of_an_entry(void **state)
{
#define TIME(text) entry_time(text, strlen(text))
	assert_true(TIME("{\"kind\":\"a\",\"record\":{},\"time\":123}") == 123);
	assert_true(TIME("{\"kind\":\"a\",\"record\":{},\"time\":1795526837000}") == 1795526837000);
	assert_true(TIME("{\"kind\":\"a\",\"record\":{},\"time\":-1}") == INT64_MAX);
	assert_true(TIME("{\"kind\":\"a\",\"record\":{},\"time\":}") == INT64_MAX);
	assert_true(TIME(",\"time\":1}") == 1);
	assert_true(TIME("\"time\":1}") == INT64_MAX);
	assert_true(TIME("1}") == INT64_MAX);
	assert_true(TIME("}") == INT64_MAX);
	assert_true(TIME("") == INT64_MAX);
}

/* Root removes entries and writes what a pruning would leave: it is not signed. */
static void removal_by_others_is_found(void **state)
{
	struct pruned p = {};
	struct pruned_entry e;
	struct reader r;
	size_t len, at = 0;
	char *bytes;

	make();
	assert_int_equal(prune_log(512), 512);
	assert_int_equal(reader_open(&r, log_dir), 0);
	assert_int_equal(pruned_begin(&p, 768), 0);
	assert_int_equal(unlink(log_path("tile/entries/002")), 0);
	bytes = log_read("pruned", &len);
	assert_blames("entry 512: is missing");
	/* with the delegation in entry 0 */
	assert_int_equal(pruned_next(&r.pruned, &at, &e), 1);
	assert_int_equal(pruned_add(&p, e.index, e.entry, e.len), 0);
	log_write("pruned", (char *)p.bytes, p.len);
	assert_blames("entries 512 to 767: were removed, and no entry says that they were pruned");
	log_write("pruned", bytes, len);
	pruned_free(&p);
	free(bytes);
	reader_close(&r);
}

/* Write a file "pruned" by hand: the genuine entry 0, and one more if it is given. */
static void forge(uint64_t before, const char *entry)
{
	struct pruned p = {};
	char first[4096];
	char *bytes;
	size_t len, n;

	bytes = log_read("tile/entries/000", &len);
	n = (size_t)(uint8_t)bytes[0] << 8 | (uint8_t)bytes[1];
	memcpy(first, bytes + 2, n);
	free(bytes);
	assert_int_equal(pruned_begin(&p, before), 0);
	assert_int_equal(pruned_add(&p, 0, first, n), 0);
	if (entry)
		assert_int_equal(pruned_add(&p, 1, entry, strlen(entry)), 0);
	log_write("pruned", (char *)p.bytes, p.len);
	pruned_free(&p);
}

static void assert_not_opened(void)
{
	char error[STORE_ERROR_LEN];
	struct recovery found;
	struct store *s;

	if (!store_open(&s, log_dir, "host.example", &found, error))
		fail_msg("a log that is cut off is gone on with, as of %llu entries",
			 (unsigned long long)store_signed(s));
}

/* Without any key: the file claims that all was pruned, or most, or what no writer removes. */
static void forged_file_hides_nothing(void **state)
{
	static const uint64_t claims[] = {5000, 4864, 4096, 3841, 1, 5120, 1ull << 40, UINT64_MAX};
	char error[READER_ERROR_LEN], announced[128];
	struct verified v;

	make();
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		snprintf(announced, sizeof(announced),
			 "{\"kind\":\"pruned\",\"record\":{\"before\":%llu},\"time\":1}",
			 (unsigned long long)claims[i]);
		for (size_t k = 0; k < 2; k++) {
			forge(claims[i], k ? announced : NULL);
			if (!log_verify(&v, error))
				fail_msg("before %llu verifies", (unsigned long long)claims[i]);
			assert_not_opened();
		}
	}
	/* within what a writer may remove, no entry but delegations can be there */
	forge(1024, "{\"kind\":\"pruned\",\"record\":{\"before\":1024},\"time\":1}");
	assert_blames("pruned: is damaged");
	assert_not_opened();
	/* and the tree is that of the checkpoint */
	forge(1024, "{\"kind\":\"epoch\",\"record\":{\"note\":\"x\"},\"time\":1}");
	assert_blames("entry 1: is no delegation");
	forge(1024, NULL);
	assert_blames("entries 0 to 1023: were removed, and no entry says that they were pruned");
	assert_int_equal(unlink(log_path("pruned")), 0);
	assert_verifies(5000);
}

/* The delegation that the checkpoint names has to be there: its signature is checked before anything is signed. */
static void checkpoint_without_its_delegation_is_refused(void **state)
{
	struct recovery found;
	struct store *s;

	log_make(1);
	s = log_open(&found);
	log_fill(s, 2, 2600);
	store_close(s);
	forge(1536, NULL); /* the checkpoint's is entry 1 */
	assert_not_opened();
	assert_int_equal(unlink(log_path("pruned")), 0);
	store_close(log_open(&found));
}

static void pruning_while_somebody_verifies(void **state)
{
	static const char *const files[] = {"pruned", "checkpoint", "tile/entries/000",
					    "tile/entries/007"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		make();
		prune_at = files[i];
		assert_int_equal(check(), 3072);
		assert_null(prune_at);
		scratch_remove(state);
		scratch_make(state);
	}
}

static void flipped_byte_of_what_was_kept_is_found(void **state)
{
	char *bytes;
	size_t len;

	make();
	assert_int_equal(prune_log(1024), 1024);
	bytes = log_read("pruned", &len);
	for (size_t i = 0; i < len; i++) {
		char error[READER_ERROR_LEN];
		struct verified v;

		bytes[i] ^= 1;
		log_write("pruned", bytes, len);
		bytes[i] ^= 1;
		if (!log_verify(&v, error))
			fail_msg("byte %zu can be changed", i);
	}
	log_write("pruned", bytes, len);
	free(bytes);
	assert_int_equal(check(), 1024);
	assert_int_equal(unlink(log_path("pruned")), 0);
	assert_blames("entry 0: is missing");
}

/* The hashes that stay are checked, too. */
static void flipped_hash_of_a_pruned_entry_is_found(void **state)
{
	char *bytes;
	size_t len;

	make();
	assert_int_equal(prune_log(1024), 1024);
	bytes = log_read("tile/0/002", &len);
	bytes[100] ^= 4;
	log_write("tile/0/002", bytes, len);
	assert_blames("entries 0 to 1499: the delegation in entry 1500 was signed for others");
	free(bytes);
}

/* Killed or failing at any step: it verifies, and the next attempt removes the rest. */
static void interrupted_pruning_goes_on(void **state)
{
	char error[STORE_ERROR_LEN];
	struct recovery found;
	uint64_t first;
	struct store *s;

	make();
	for (int i = 0; i < 5; i++) {
		s = log_open(&found);
		unlinks_left = i;
		assert_int_equal(prune_before(s, 2048, 9, &first, error), -EIO);
		unlinks_left = -1;
		store_close(s);
		check();
	}
	assert_int_equal(access(log_path("tile/entries/007"), F_OK), 0);
	assert_int_equal(prune_log(2048), 2048);
	for (int i = 0; i < 8; i++) {
		char path[32];

		snprintf(path, sizeof(path), "tile/entries/%03d", i);
		assert_int_not_equal(access(log_path(path), F_OK), 0);
	}
	assert_int_equal(check(), 2048);
}

static uint64_t last_is_stop(void)
{
	struct recovery found;
	struct store *s = log_open(&found);

	store_close(s);
	return found.clean;
}

/* The command, on a log whose writer ended, and on one whose writer was killed: only the next writer can say so. */
static void command_prunes_and_keeps_how_the_writer_ended(void **state)
{
	char *argv[] = {"evidence", "prune", "--before", "300", log_dir, NULL};
	struct recovery found;
	struct store *s;

	log_make(2000);
	assert_int_equal(cmd_evidence(5, argv), 0);
	assert_int_equal(check(), 256);
	assert_false(last_is_stop());
	s = log_open(&found);
	assert_int_equal(entry_make("stop", 9, "{}", 2, log_append_one, s), 0);
	assert_int_equal(store_finish(s), 0);
	store_close(s);
	argv[3] = "600";
	assert_int_equal(cmd_evidence(5, argv), 0);
	assert_int_equal(check(), 512);
	assert_true(last_is_stop());
	argv[3] = "6x";
	assert_int_equal(cmd_evidence(5, argv), 2);
	argv[4] = "/nonexistent";
	argv[3] = "600";
	assert_int_equal(cmd_evidence(5, argv), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_remains_verifies),
		TEST(entries_and_proofs_of_what_remains),
		TEST(earlier_checkpoints_are_still_prefixes),
		TEST(old_entries_go_by_their_time),
		cmocka_unit_test(time_of_an_entry),
		TEST(removal_by_others_is_found),
		TEST(forged_file_hides_nothing),
		TEST(checkpoint_without_its_delegation_is_refused),
		TEST(pruning_while_somebody_verifies),
		TEST(flipped_byte_of_what_was_kept_is_found),
		TEST(flipped_hash_of_a_pruned_entry_is_found),
		TEST(interrupted_pruning_goes_on),
		TEST(command_prunes_and_keeps_how_the_writer_ended),
	};

	log_quiet();
	return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
