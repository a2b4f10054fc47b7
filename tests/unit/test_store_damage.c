/* SPDX-License-Identifier: BSD-2-Clause */
/* test_store_damage.c - every way to damage an evidence log is found, and named. */
#include "evidence_log.h"

#include "base/macros.h"
#include "evidence/prove.h"
#include "evidence/tree.h"

#include <errno.h>

/* --- damage --- */

/* Verification fails, and what it says begins with that. */
static void assert_blames(const char *want)
{
	char error[READER_ERROR_LEN];
	struct verified v;
	int err = log_verify(&v, error);

	assert_int_equal(err, -EBADMSG);
	if (strncmp(error, want, strlen(want)) != 0)
		fail_msg("said \"%s\" instead of \"%s\"", error, want);
}

/* Where entry i begins in the bundle, its length included. */
static size_t place_in_bundle(const char *bytes, unsigned int i)
{
	size_t at = 0;

	while (i--)
		at += 2 + ((size_t)(unsigned char)bytes[at] << 8 | (unsigned char)bytes[at + 1]);
	return at;
}

static void flipped_bit_of_a_bundle_is_named(void **state)
{
	size_t len, end;
	char *bytes, want[64];

	log_make(600);
	bytes = log_read("tile/entries/001", &len);
	for (unsigned int i = 0; i < TILE_WIDTH; i += 15) {
		end = i + 1 < TILE_WIDTH ? place_in_bundle(bytes, i + 1) : len;
		snprintf(want, sizeof(want), "entry %u: ", TILE_WIDTH + i);
		for (size_t at = place_in_bundle(bytes, i); at < end; at++) {
			bytes[at] ^= (char)(1 << at % 8);
			log_write("tile/entries/001", bytes, len);
			assert_blames(want);
			bytes[at] ^= (char)(1 << at % 8);
		}
	}
	log_write("tile/entries/001", bytes, len);
	assert_verifies(600);
	free(bytes);
}

static void flipped_bit_of_a_tile_is_named(void **state)
{
	size_t len;
	char *bytes, want[64];

	log_make(600);
	bytes = log_read("tile/0/000", &len);
	assert_int_equal(len, 8192);
	for (size_t at = 0; at < len; at += 61) {
		bytes[at] ^= 0x10;
		log_write("tile/0/000", bytes, len);
		snprintf(want, sizeof(want), "entry %zu: is not the one", at / TREE_HASH_LEN);
		assert_blames(want);
		bytes[at] ^= 0x10;
	}
	free(bytes);
}

/* Change entry n of the second bundle, and its hash. */
static void change_with_hash(unsigned int n)
{
	size_t len, at, tile_len;
	char *bytes = log_read("tile/entries/001", &len), *tile = log_read("tile/0/001", &tile_len);

	at = place_in_bundle(bytes, n);
	bytes[at + 40] ^= 1;
	tree_leaf(bytes + at + 2, place_in_bundle(bytes, n + 1) - at - 2,
		  (struct tree_hash *)tile + n);
	log_write("tile/entries/001", bytes, len);
	log_write("tile/0/001", tile, tile_len);
	free(bytes);
	free(tile);
}

/* Entry and hash changed together: only the signatures are left to tell. */
static void changed_entry_with_its_tile_is_found(void **state)
{
	log_make(600);
	change_with_hash(7);
	assert_blames("entries 0 to 599: checkpoint was signed for others");
}

/* With a delegation in between, the place is narrowed down to what lies between two of them. */
static void delegations_narrow_it_down(void **state)
{
	struct recovery found;
	struct store *s = log_open(&found);

	log_fill(s, 1, 300);
	assert_int_equal(store_rotate(s, 5), 0);
	log_fill(s, 300, 400);
	assert_int_equal(store_rotate(s, 6), 0);
	log_fill(s, 400, 700);
	store_close(s);
	change_with_hash(90);
	assert_blames("entries 300 to 400: the delegation in entry 401 was signed for others");
}

/* Also the unsigned rest of the write-ahead log may be damaged; that is the writer's to repair. */
static void flipped_bit_of_the_write_ahead_log_is_named(void **state)
{
	size_t len;
	char *bytes, want[64];

	log_make(20);
	bytes = log_read("wal/00000000.wal", &len);
	for (size_t at = 0, next = 0, i = 0; at < len; at++) {
		if (at == next) {
			next += FRAME_HEAD +
				(size_t)((unsigned char)bytes[at] | bytes[at + 1] << 8);
			i++;
		}
		bytes[at] ^= (char)(1 << at % 8);
		log_write("wal/00000000.wal", bytes, len);
		snprintf(want, sizeof(want), "entry %zu: wal/00000000.wal, byte ", i - 1);
		assert_blames(want);
		bytes[at] ^= (char)(1 << at % 8);
	}
	free(bytes);
}

static void flipped_bit_of_checkpoint_or_key_is_found(void **state)
{
	static const char *const files[] = {"checkpoint", "vkey"};
	char error[READER_ERROR_LEN];
	struct verified v;
	size_t len;
	char *bytes;

	log_make(20);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		bytes = log_read(files[i], &len);
		for (size_t bit = 0; bit < len * 8; bit++) {
			bytes[bit / 8] ^= (char)(1 << bit % 8);
			log_write(files[i], bytes, len);
			assert_int_equal(log_verify(&v, error), -EBADMSG);
			bytes[bit / 8] ^= (char)(1 << bit % 8);
		}
		log_write(files[i], bytes, len);
		free(bytes);
	}
	assert_verifies(20);
}

/* The writer leaves them when it ends. Those of an earlier end are not read. */
static void flipped_bit_of_a_copy_for_other_readers_is_named(void **state)
{
	static const char *const copies[] = {"tile/entries/001.p/44", "tile/0/001.p/44",
					     "tile/1/000.p/1"};
	char error[READER_ERROR_LEN], *bytes;
	struct recovery found;
	struct verified v;
	struct store *s;
	size_t len;

	log_make(299);
	s = log_open(&found); /* adds a delegation */
	assert_int_equal(store_finish(s), 0);
	store_close(s);
	assert_verifies(300);
	for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
		bytes = log_read(copies[i], &len);
		bytes[len / 2] ^= 1;
		log_write(copies[i], bytes, len);
		assert_int_equal(log_verify(&v, error), -EBADMSG);
		assert_non_null(strstr(error, copies[i]));
		bytes[len / 2] ^= 1;
		log_write(copies[i], bytes, len - 1);
		assert_int_equal(log_verify(&v, error), -EBADMSG);
		assert_non_null(strstr(error, copies[i]));
		bytes = realloc(bytes, len + 1);
		bytes[len] = 0;
		log_write(copies[i], bytes, len + 1);
		assert_int_equal(log_verify(&v, error), -EBADMSG);
		assert_non_null(strstr(error, copies[i]));
		log_write(copies[i], bytes, len);
		free(bytes);
	}
	assert_verifies(300);
	s = log_open(&found);
	store_close(s);
	bytes = log_read(copies[0], &len);
	bytes[len / 2] ^= 1;
	log_write(copies[0], bytes, len);
	free(bytes);
	assert_verifies(301);
}

static void missing_files_are_named(void **state)
{
	static const struct {
		const char *file, *want;
	} cases[] = {
		{"tile/entries/000", "entry 0: is missing"},
		{"tile/0/001", "tile/0/001: is missing"},
		{"wal/00000001.wal", "entry 1280: is missing"},
		{"checkpoint", "checkpoint: is missing"},
		{"vkey", "vkey is missing"},
	};
	char error[READER_ERROR_LEN];
	struct verified v;

	log_make(1300);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len;
		char *bytes = log_read(cases[i].file, &len);

		assert_int_equal(unlink(log_path(cases[i].file)), 0);
		assert_true(log_verify(&v, error) < 0);
		if (strncmp(error, cases[i].want, strlen(cases[i].want)) != 0)
			fail_msg("said \"%s\" instead of \"%s\"", error, cases[i].want);
		log_write(cases[i].file, bytes, len);
		free(bytes);
	}
	assert_verifies(1300);
}

/* --- truncation --- */

static int verify_against(const char *vkey, const char *earlier, char error[READER_ERROR_LEN])
{
	struct verified v;
	struct reader r;
	int err = verify(&r, log_dir, vkey, earlier, &v);

	memcpy(error, r.error, READER_ERROR_LEN);
	reader_close(&r);
	return err;
}

static int sign_nothing(void *ctx, const void *text, size_t len, uint8_t sig[NOTE_SIG_LEN])
{
	memset(sig, 0, NOTE_SIG_LEN);
	return 0;
}

/* It would be a prefix of any log. */
static void earlier_checkpoint_of_no_entries_is_refused(void **state)
{
	char error[READER_ERROR_LEN], kept[128], text[NOTE_MAX], note[NOTE_MAX];
	struct checkpoint c = {};
	struct reader r;
	int n;

	log_make(3);
	assert_int_equal(reader_open(&r, log_dir), 0);
	memcpy(c.origin, r.identity.name, sizeof(c.origin));
	checkpoint_text(&c, text);
	n = note_sign(text, &r.identity, sign_nothing, NULL, note);
	assert_true(n > 0);
	reader_close(&r);
	snprintf(kept, sizeof(kept), "%s/kept", scratch);
	assert_int_equal(disk_replace(AT_FDCWD, kept, note, (size_t)n, 0600), 0);
	assert_int_equal(verify_against(NULL, kept, error), -EINVAL);
	assert_non_null(strstr(error, "is no checkpoint"));
}

/* A file that cannot be read is no damage: the two have exit codes of their own. */
static void log_that_cannot_be_read_is_not_damaged(void **state)
{
	struct reader r;
	char *none;

	log_make(700);
	assert_int_equal(unlink(log_path("tile/entries/000")), 0);
	assert_int_equal(symlink("000", log_path("tile/entries/000")), 0);
	assert_int_equal(reader_open(&r, log_dir), 0);
	assert_int_equal(prove(&r, 5, &none), -ELOOP);
	assert_null(none);
	reader_close(&r);
}

/* An older state of the directory verifies by itself, and not against a later checkpoint. */
static void truncation_is_found_with_a_checkpoint_kept_elsewhere(void **state)
{
	char error[READER_ERROR_LEN], kept[128], *early, *late, *wal;
	size_t early_len, late_len, wal_len;
	struct recovery found;
	struct store *s = log_open(&found);

	log_fill(s, 1, 50);
	early = log_read("checkpoint", &early_len);
	wal = log_read("wal/00000000.wal", &wal_len);
	log_fill(s, 50, 80);
	store_close(s);
	late = log_read("checkpoint", &late_len);
	snprintf(kept, sizeof(kept), "%s/kept", scratch);
	assert_int_equal(disk_replace(AT_FDCWD, kept, early, early_len, 0600), 0);
	assert_int_equal(verify_against(NULL, kept, error), 0);
	assert_int_equal(disk_replace(AT_FDCWD, kept, late, late_len, 0600), 0);
	assert_int_equal(verify_against(NULL, kept, error), 0);

	log_write("checkpoint", early, early_len);
	log_write("wal/00000000.wal", wal, wal_len);
	assert_verifies(50);
	assert_int_equal(verify_against(NULL, kept, error), -EBADMSG);
	assert_non_null(strstr(error, "was cut off"));
	free(early);
	free(late);
	free(wal);
}

static void log_with_another_key_is_not_the_one_that_is_trusted(void **state)
{
	char error[READER_ERROR_LEN], *vkey;
	size_t len;

	log_make(5);
	vkey = log_read("vkey", &len);
	vkey[len - 1] = '\0';
	assert_int_equal(verify_against(vkey, NULL, error), 0);
	scratch_remove(NULL);
	assert_int_equal(mkdir(scratch, 0700), 0);
	log_make(5);
	assert_int_equal(verify_against(NULL, NULL, error), 0);
	assert_int_equal(verify_against(vkey, NULL, error), -EBADMSG);
	assert_int_equal(verify_against("nonsense", NULL, error), -EINVAL);
	free(vkey);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flipped_bit_of_a_bundle_is_named),
		TEST(flipped_bit_of_a_tile_is_named),
		TEST(changed_entry_with_its_tile_is_found),
		TEST(delegations_narrow_it_down),
		TEST(flipped_bit_of_the_write_ahead_log_is_named),
		TEST(flipped_bit_of_checkpoint_or_key_is_found),
		TEST(flipped_bit_of_a_copy_for_other_readers_is_named),
		TEST(missing_files_are_named),
		TEST(earlier_checkpoint_of_no_entries_is_refused),
		TEST(log_that_cannot_be_read_is_not_damaged),
		TEST(truncation_is_found_with_a_checkpoint_kept_elsewhere),
		TEST(log_with_another_key_is_not_the_one_that_is_trusted),
	};

	return cmocka_run_group_tests_name("store_damage", tests, NULL, NULL);
}
