/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_witness.c - a witness and a log over HTTP: what it cosigns, and that it refuses a log that was cut off, changed, or
 * continued twice. The protocol itself is in test_witness_protocol.c.
 */
#include "witness_server.h"

#include "base/log.h"
#include "base/macros.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static bool another_was_sent; /* until the next connection */

/* What was read stays where it is, elsewhere. */
static void replace_log(void)
{
	char later[128], old[128];

	snprintf(later, sizeof(later), "%s/later", scratch);
	snprintf(old, sizeof(old), "%s/old", scratch);
	assert_int_equal(rename(log_dir, old), 0);
	assert_int_equal(rename(later, log_dir), 0);
}

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
	if (another_was_sent) {
		another_was_sent = false;
		replace_log();
	}
	return (int)syscall(SYS_connect, fd, address, len);
}

static void grow(uint64_t from, uint64_t to)
{
	struct recovery found;
	struct store *s = log_open(&found);

	log_fill(s, from, to);
	store_close(s);
}

static uint64_t size_now(void)
{
	char error[READER_ERROR_LEN];
	struct verified v;

	if (log_verify(&v, error))
		fail_msg("does not verify: %s", error);
	return v.size;
}

/* A copy of the log's directory, and back. */
static void copy(const char *from, const char *to)
{
	char command[512];

	snprintf(command, sizeof(command), "rm -rf '%s/%s' && cp -a '%s/%s' '%s/%s'", scratch, to,
		 scratch, from, scratch, to);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): paths of our own */
}

static void scratch_empty(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", scratch, name);
	assert_int_equal(nftw(path, scratch_unlink, 16, FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int check_cosigned(struct verified *v, char error[READER_ERROR_LEN])
{
	struct verify_trust trust = {.witness = &witness_key};
	struct reader r;
	int err = verify_with(&r, log_dir, &trust, v);

	memcpy(error, r.error, READER_ERROR_LEN);
	reader_close(&r);
	return err;
}

static void growing_log_is_cosigned(void **state)
{
	static const uint64_t more[] = {1, 2, 100, 200, 300, 700, 1100, 3000};
	char error[READER_ERROR_LEN];
	struct verified v;

	log_make(5);
	witness_begin();
	assert_cosigned(5);
	assert_cosigned(5); /* a quiet log, too */
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		grow(10, 10 + more[i]);
		assert_cosigned(size_now());
		assert_int_equal(check_cosigned(&v, error), 0);
		assert_int_equal(v.cosigned, v.size);
		assert_int_equal(v.cosigned_s, WITNESS_NOW);
	}
	grow(1, 50); /* what comes later is there, too */
	assert_int_equal(check_cosigned(&v, error), 0);
	assert_true(v.cosigned < v.size);
	witness_end();
}

/* More than go into one request, and a witness that missed them all. */
static void keys_that_changed_in_between_are_sent(void **state)
{
	struct recovery found;
	struct store *s;

	log_make(3);
	witness_begin();
	assert_cosigned(3);
	s = log_open(&found);
	for (int i = 0; i < 150; i++)
		assert_int_equal(store_rotate(s, i), 0);
	assert_cosigned(3 + 1 + 150);
	assert_int_equal(store_rotate(s, 1), 0);
	assert_cosigned(3 + 1 + 151);
	store_close(s);
	witness_end();
}

static void witness_remembers_when_it_starts_again(void **state)
{
	log_make(40);
	witness_begin();
	assert_cosigned(40);
	witness_end();
	copy("log", "early");
	witness_begin();
	grow(40, 60);
	assert_cosigned(61);
	witness_end();
	copy("early", "log");
	witness_begin();
	assert_refused("knows epoch 2 of this log, and the last one here is 1: it was cut off");
	witness_end();
}

/* What the log's side has forgotten, the witness tells. */
static void lost_cosigned_checkpoint_is_no_harm(void **state)
{
	char path[COSIGNED_PATH_LEN];

	log_make(300);
	witness_begin();
	assert_cosigned(300);
	cosigned_path(&witness_key, path);
	assert_int_equal(unlink(log_path(path)), 0);
	grow(300, 400);
	assert_cosigned(401);
	log_write(path, "nonsense\n", 9);
	assert_cosigned(401);
	witness_end();
}

/* The directory as it was some hours ago verifies by itself. */
static void truncated_log_is_refused(void **state)
{
	log_make(500);
	witness_begin();
	assert_cosigned(500);
	copy("log", "early");
	grow(500, 600);
	assert_cosigned(601);
	copy("early", "log");
	assert_int_equal(size_now(), 500);
	assert_refused("was cut off");
	grow(1, 50); /* also when it has grown again, but not so far */
	assert_refused("continued twice, from an older copy");
	grow(50, 200); /* or farther */
	assert_true(size_now() > 601);
	assert_refused("does not go on from what was cosigned");
	witness_end();
}

/* What is wrong with the log here is not what the witness says. */
static void damage_here_is_no_refusal(void **state)
{
	char error[WITNESS_CLIENT_ERROR_LEN];
	struct witnessed w = {};

	log_make(500);
	witness_begin();
	assert_cosigned(500);
	copy("log", "early");
	grow(500, 600);
	assert_int_equal(submit(&w, error), 0);
	assert_false(w.damaged);
	copy("early", "log"); /* without what was cosigned meanwhile */
	assert_int_equal(submit(&w, error), -EBADMSG);
	assert_false(w.damaged);
	log_write("checkpoint", "no checkpoint\n", 14);
	assert_int_equal(submit(&w, error), -EBADMSG);
	assert_true(w.damaged);
	witness_end();
}

/* While one key signs, the sizes alone tell. */
static void truncated_log_of_one_writer_is_refused(void **state)
{
	struct recovery found;
	struct store *s;

	log_make(10);
	s = log_open(&found);
	witness_begin();
	assert_cosigned(11);
	copy("log", "early");
	log_fill(s, 1, 30);
	assert_cosigned(40);
	copy("early", "log");
	assert_refused("has cosigned 40 entries of this log, and here are 11: it was cut off");
	store_close(s);
	witness_end();
}

/* One virtual machine, cloned: both go on from the same log, with the same identity key. */
static void log_that_was_continued_twice_is_refused(void **state)
{
	log_make(100);
	witness_begin();
	assert_cosigned(100);
	copy("log", "clone");
	grow(100, 150);
	assert_cosigned(151);
	copy("log", "first");
	copy("clone", "log");
	grow(200, 250); /* the same size, the same epoch */
	assert_int_equal(size_now(), 151);
	assert_refused("continued twice");
	grow(250, 300); /* a later epoch, a larger tree */
	assert_refused("the log does not go on from what was cosigned");
	copy("log", "clone");
	copy("first", "log"); /* the first one is not harmed */
	grow(300, 350);
	assert_cosigned(size_now());
	copy("clone", "log");
	assert_refused("continued twice");
	witness_end();
}

/* Root with the identity key writes another history: it verifies, and the witness knows better. */
static void log_that_was_written_again_is_refused(void **state)
{
	char *identity, *vkey;
	size_t identity_len, vkey_len;

	log_make(100);
	witness_begin();
	assert_cosigned(100);
	identity = log_read("identity.pem", &identity_len);
	vkey = log_read("vkey", &vkey_len);
	scratch_empty("log");
	log_write("identity.pem", identity, identity_len);
	log_write("vkey", vkey, vkey_len);
	grow(1000, 1300);
	assert_true(size_now() > 100);
	assert_refused("continued twice");
	grow(1300, 1400);
	assert_refused("does not go on");
	free(identity);
	free(vkey);
	witness_end();
}

static void other_logs_are_not_known(void **state)
{
	char error[WITNESS_CLIENT_ERROR_LEN];
	struct witnessed w;

	log_make(10);
	witness_begin();
	scratch_empty("log");
	log_make(10); /* another key */
	assert_int_equal(submit(&w, error), -EPROTO);
	assert_non_null(strstr(error, "404: this log is not known here"));
	witness_end();
	assert_int_equal(submit(&w, error), -ECONNREFUSED);
	assert_non_null(strstr(error, "is the witness running there?"));
}

static void answer_of_another_witness_is_not_kept(void **state)
{
	char error[WITNESS_CLIENT_ERROR_LEN], path[COSIGNED_PATH_LEN];
	uint8_t public[NOTE_KEY_LEN] = {1};
	struct note_key other;
	struct witnessed w;

	log_make(10);
	witness_begin();
	assert_int_equal(note_key_init_as(&other, NOTE_COSIGNATURE, witness_key.name, public), 0);
	assert_int_equal(witness_submit(log_dir, witness_url, &other, &w, error), -EPROTO);
	assert_non_null(strstr(error, "not cosigned by the key of witness.example/w1"));
	cosigned_path(&other, path);
	assert_int_not_equal(access(log_path(path), F_OK), 0);
	witness_end();
}

/* --- verify --witness --- */

static void every_changed_byte_of_a_cosigned_checkpoint_is_found(void **state)
{
	char path[COSIGNED_PATH_LEN], error[READER_ERROR_LEN], *bytes;
	struct verified v;
	size_t len;

	log_make(20);
	witness_begin();
	assert_int_equal(check_cosigned(&v, error), -ENOENT);
	assert_non_null(strstr(error, "'cachewarden evidence witness' gets one"));
	assert_cosigned(20);
	witness_end();
	cosigned_path(&witness_key, path);
	bytes = log_read(path, &len);
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 1;
		log_write(path, bytes, len);
		if (!check_cosigned(&v, error))
			fail_msg("byte %zu can be changed", i);
		bytes[i] ^= 1;
	}
	log_write(path, bytes, len);
	assert_int_equal(check_cosigned(&v, error), 0);
	free(bytes);
}

/* Whoever cuts the log off has to remove what was cosigned, too. */
static void cosigned_checkpoint_shows_a_cut(void **state)
{
	char path[COSIGNED_PATH_LEN], error[READER_ERROR_LEN], *cosigned;
	struct verified v;
	size_t len;

	log_make(20);
	witness_begin();
	copy("log", "early");
	grow(20, 40);
	assert_cosigned(41);
	witness_end();
	cosigned_path(&witness_key, path);
	cosigned = log_read(path, &len);
	copy("early", "log");
	assert_int_equal(mkdir(log_path("cosigned"), 0700), 0);
	log_write(path, cosigned, len);
	assert_int_equal(check_cosigned(&v, error), -EBADMSG);
	assert_non_null(strstr(error, "cut off: it has 20 entries, the cosigned checkpoint 41"));
	free(cosigned);
}

/* Another process went on with the log and sent that, while this one had read what was before. */
static void two_at_once(void **state)
{
	log_make(40);
	witness_begin();
	assert_cosigned(40);
	copy("log", "early");
	grow(40, 60);
	assert_cosigned(61);
	copy("log", "later");
	copy("early", "log");
	another_was_sent = true;
	assert_cosigned(61);
	copy("early", "log");
	assert_refused("knows epoch 2 of this log, and the last one here is 1: it was cut off");
	witness_end();
}

/* It would sign any tree of that log. */
static void witness_that_lost_a_log_does_not_begin_anew(void **state)
{
	char error[WITNESS_ERROR_LEN];

	log_make(40);
	witness_begin();
	assert_cosigned(40);
	witness_end();
	scratch_empty("witness/logs");
	assert_int_equal(witness_open(&witness, witness_path(""), "witness.example/w1", error), 0);
	assert_int_equal(witness_know(witness, log_path("vkey"), error), -EBADMSG);
	assert_non_null(strstr(error, "is missing, and this witness did cosign that log"));
	witness_close(witness);
	scratch_empty("witness"); /* with a new key */
	witness_begin();
	assert_cosigned(40);
	witness_end();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(growing_log_is_cosigned),
		TEST(keys_that_changed_in_between_are_sent),
		TEST(witness_remembers_when_it_starts_again),
		TEST(two_at_once),
		TEST(witness_that_lost_a_log_does_not_begin_anew),
		TEST(lost_cosigned_checkpoint_is_no_harm),
		TEST(truncated_log_is_refused),
		TEST(damage_here_is_no_refusal),
		TEST(truncated_log_of_one_writer_is_refused),
		TEST(log_that_was_continued_twice_is_refused),
		TEST(log_that_was_written_again_is_refused),
		TEST(other_logs_are_not_known),
		TEST(answer_of_another_witness_is_not_kept),
		TEST(every_changed_byte_of_a_cosigned_checkpoint_is_found),
		TEST(cosigned_checkpoint_shows_a_cut),
	};

	log_quiet();
	return cmocka_run_group_tests_name("witness", tests, NULL, NULL);
}
