/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_note.c - signed notes, checkpoints and delegations: a vector of Go's sumdb/note, and every bit of a note changed.
 */
#include "unit.h"

#include "base/macros.h"
#include "evidence/note.h"
#include "evidence/signer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct signer *signer;

static int setup(void **state)
{
	return signer_new(&signer, "host.example/cachewarden/01234567");
}

static int teardown(void **state)
{
	signer_free(signer);
	return 0;
}

/* The key and the note that the documentation of golang.org/x/mod/sumdb/note has as its example. */
static void note_of_go_is_verified(void **state)
{
	static const char vkey[] =
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
	static const char text[] =
		"If you think cryptography is the answer to your problem,\n"
		"then you don't know what your problem is.\n"
		"\n"
		"\xe2\x80\x94 PeterNeumann "
		"x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
	struct note_key k;
	struct note n;
	char again[NOTE_VKEY_LEN];

	assert_int_equal(note_vkey_parse(&k, vkey, strlen(vkey)), 0);
	assert_string_equal(k.name, "PeterNeumann");
	assert_int_equal(k.id, 0xc74f20a3);
	note_vkey(&k, again);
	assert_string_equal(again, vkey);
	assert_int_equal(note_parse(&n, text, strlen(text)), 0);
	assert_int_equal(n.sigs, 1);
	assert_true(note_verify(&n, &k));
}

static size_t make_checkpoint(char note[NOTE_MAX])
{
	struct checkpoint c = {.size = 123456, .delegation = 99};
	char text[NOTE_MAX];
	int len;

	strcpy(c.origin, signer_key(signer)->name);
	tree_leaf("x", 1, &c.root);
	checkpoint_text(&c, text);
	len = note_sign(text, signer_key(signer), signer_sign, signer, note);
	assert_true(len > 0);
	return (size_t)len;
}

static void checkpoint_survives_the_way_there_and_back(void **state)
{
	char note[NOTE_MAX];
	size_t len = make_checkpoint(note);
	struct checkpoint c;
	struct tree_hash root;
	struct note n;

	assert_int_equal(note_parse(&n, note, len), 0);
	assert_true(note_verify(&n, signer_key(signer)));
	assert_int_equal(checkpoint_parse(&c, n.text, n.len), 0);
	assert_string_equal(c.origin, signer_key(signer)->name);
	assert_int_equal(c.size, 123456);
	assert_int_equal(c.delegation, 99);
	tree_leaf("x", 1, &root);
	assert_true(tree_equal(&c.root, &root));
}

static void every_changed_bit_of_a_note_is_found(void **state)
{
	char note[NOTE_MAX];
	size_t len = make_checkpoint(note);
	struct note n;

	for (size_t bit = 0; bit < len * 8; bit++) {
		note[bit / 8] ^= (char)(1 << bit % 8);
		if (!note_parse(&n, note, len) && note_verify(&n, signer_key(signer)))
			fail_msg("bit %zu can be changed", bit);
		note[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_false(!note_parse(&n, note, cut) && note_verify(&n, signer_key(signer)));
}

static void delegation_survives_and_is_no_checkpoint(void **state)
{
	struct delegation d = {.epoch = 7, .size = 1000, .key = *signer_key(signer)}, back;
	struct checkpoint c;
	char text[NOTE_MAX];

	strcpy(d.origin, "log.example");
	tree_leaf("y", 1, &d.root);
	delegation_text(&d, text);
	assert_int_equal(delegation_parse(&back, text, strlen(text)), 0);
	assert_int_equal(back.epoch, 7);
	assert_int_equal(back.size, 1000);
	assert_string_equal(back.origin, "log.example");
	assert_true(tree_equal(&back.root, &d.root));
	assert_memory_equal(back.key.public, d.key.public, NOTE_KEY_LEN);
	assert_int_equal(checkpoint_parse(&c, text, strlen(text)), -EINVAL);
	for (size_t cut = 0; cut < strlen(text); cut++)
		assert_int_equal(delegation_parse(&back, text, cut), -EINVAL);
	c = (struct checkpoint){.size = 1000};
	strcpy(c.origin, "log.example");
	checkpoint_text(&c, text);
	assert_int_equal(delegation_parse(&back, text, strlen(text)), -EINVAL);
}

static void wrong_texts_are_refused(void **state)
{
#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	static const char *const wrong[] = {
		"",
		"a\n1\n" ROOT,					   /* no delegation */
		"a\n01\n" ROOT "delegation 0\n",		   /* leading zero */
		"a\n-1\n" ROOT "delegation 0\n",		   /* sign */
		"a\n\n" ROOT "delegation 0\n",			   /* empty line */
		"a b\n1\n" ROOT "delegation 0\n",		   /* space in the origin */
		"a\n99999999999999999999\n" ROOT "delegation 0\n", /* more than 64 bits */
		"a\n1\nAAAA\ndelegation 0\n",			   /* short root */
		"a\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\ndelegation 0\n", /* stray bits */
		"a\n1\n" ROOT "delegation 0\nx\n",
		"a\n1\n" ROOT "delegation 0",
	};
	static const char right[] = "a\n1\n" ROOT "delegation 0\n";
	struct checkpoint c;

	assert_int_equal(checkpoint_parse(&c, right, strlen(right)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (!checkpoint_parse(&c, wrong[i], strlen(wrong[i])))
			fail_msg("accepted: %s", wrong[i]);
	}
}

static void wrong_keys_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"PeterNeumann",
		"PeterNeumann+c74f20a3",
		"PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* another id */
		"PeterNeumanm+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* another name */
		"PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* algorithm */
		"Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
		"PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
	};
	uint8_t public[NOTE_KEY_LEN] = {};
	struct note_key k;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (!note_vkey_parse(&k, wrong[i], strlen(wrong[i])))
			fail_msg("accepted: %s", wrong[i]);
	}
	assert_int_equal(note_key_init(&k, "a+b", public), -EINVAL);
	assert_int_equal(note_key_init(&k, "a b", public), -EINVAL);
	assert_int_equal(note_key_init(&k, "", public), -EINVAL);
}

static void another_key_does_not_verify(void **state)
{
	char note[NOTE_MAX];
	size_t len = make_checkpoint(note);
	struct signer *other;
	struct note n;

	assert_int_equal(signer_new(&other, signer_key(signer)->name), 0);
	assert_int_equal(note_parse(&n, note, len), 0);
	assert_false(note_verify(&n, signer_key(other)));
	signer_free(other);
}

/* The monitor forks its guard: that one must not have the key when the monitor has wiped it. */
static void child_has_no_key(void **state)
{
	char text[NOTE_MAX];
	struct note n;
	int status;
	pid_t pid = fork();

	if (!pid) {
		size_t len = make_checkpoint(text);

		_exit(note_parse(&n, text, len) || note_verify(&n, signer_key(signer)));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(note_parse(&n, text, make_checkpoint(text)), 0);
	assert_true(note_verify(&n, signer_key(signer)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(note_of_go_is_verified),
		cmocka_unit_test(checkpoint_survives_the_way_there_and_back),
		cmocka_unit_test(every_changed_bit_of_a_note_is_found),
		cmocka_unit_test(delegation_survives_and_is_no_checkpoint),
		cmocka_unit_test(wrong_texts_are_refused),
		cmocka_unit_test(wrong_keys_are_refused),
		cmocka_unit_test(another_key_does_not_verify),
		cmocka_unit_test(child_has_no_key),
	};

	return cmocka_run_group_tests_name("note", tests, setup, teardown);
}
