/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_witness_protocol.c - what a witness answers to each request (C2SP tlog-witness), to logs of any program, and what its
 * disk has before it answers. fsync() is the one below.
 */
#include "witness_server.h"

#include "base/log.h"
#include "base/macros.h"
#include "evidence/signer.h"
#include "evidence/witness_request.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static bool disk_fails;

int fsync(int fd)
{
	if (disk_fails) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

/* --- a log of another program: one key, in memory alone --- */

#define LEAVES 600

static struct signer *log_key;
static struct tree_hash leaf[LEAVES];
static struct http_reply reply;

static int subtree(void *ctx, unsigned int height, uint64_t index, struct tree_hash *ret)
{
	uint64_t first = index << height;

	if (first + (1ull << height) > LEAVES)
		return -ERANGE;
	if (height > 8) {
		struct tree_hash left, right;

		subtree(ctx, height - 1, 2 * index, &left);
		subtree(ctx, height - 1, 2 * index + 1, &right);
		tree_node(&left, &right, ret);
	} else {
		tree_perfect(leaf + first, 1u << height, ret);
	}
	return 0;
}

static void root_of(uint64_t size, struct tree_hash *ret)
{
	struct tree t = {};

	for (uint64_t i = 0; i < size; i++)
		tree_append(&t, &leaf[i], NULL, NULL);
	tree_root(&t, ret);
}

static int know(void)
{
	char error[WITNESS_ERROR_LEN], vkey[NOTE_VKEY_LEN + 1];

	note_vkey(signer_key(log_key), vkey);
	strcat(vkey, "\n");
	assert_int_equal(mkdir(log_dir, 0700) && errno != EEXIST, 0);
	log_write("known", "# logs\n\n", 8);
	log_write("known", vkey, strlen(vkey));
	if (witness_open(&witness, witness_path(""), "witness.example/w1", error) ||
	    witness_know(witness, log_path("known"), error))
		fail_msg("no witness: %s", error);
	witness_set_clock(witness, witness_now);
	witness_vkey(witness, vkey);
	return note_vkey_parse_as(&witness_key, NOTE_COSIGNATURE, vkey, strlen(vkey));
}

static int begin(void **state)
{
	for (uint64_t i = 0; i < LEAVES; i++)
		tree_leaf(&i, sizeof(i), &leaf[i]);
	return scratch_make(state) || signer_new(&log_key, "other.example/log") || know();
}

static int finish(void **state)
{
	witness_close(witness);
	signer_free(log_key);
	disk_fails = false;
	return scratch_remove(state);
}

static int answer(const char *target, const char *body)
{
	struct http_request r = {.method = "POST", .body_len = strlen(body)};

	snprintf(r.target, sizeof(r.target), "%s", target);
	witness_answer(witness, &r, body, &reply);
	reply.body[reply.len] = '\0';
	return reply.status;
}

/* A checkpoint with an extension line, as other logs may have. */
static void make_note(const char *origin, uint64_t size, const struct tree_hash *root,
		      struct signer *key, char note[NOTE_MAX])
{
	char hash[NOTE_HASH_TEXT], text[NOTE_MAX];

	note_hash_text(root, hash);
	snprintf(text, sizeof(text), "%s\n%llu\n%s\nextension of theirs\n", origin,
		 (unsigned long long)size, hash);
	assert_true(note_sign(text, signer_key(key), signer_sign, key, note) > 0);
}

static int send_body(char *body)
{
	int status = answer("/add-checkpoint", body);

	free(body);
	return status;
}

static int send_note(uint64_t old, const struct tree_proof *proof, const char *note)
{
	size_t len;

	return send_body(witness_request_text(old, proof, note, &len));
}

static char *make_request(uint64_t old, uint64_t size)
{
	struct tree_proof proof = {};
	char note[NOTE_MAX];
	struct tree_hash root;
	size_t len;

	root_of(size, &root);
	make_note("other.example/log", size, &root, log_key, note);
	if (old <= size)
		assert_int_equal(tree_consistency(old, size, subtree, NULL, &proof), 0);
	return witness_request_text(old, &proof, note, &len);
}

static int send_tree(uint64_t old, uint64_t size)
{
	return send_body(make_request(old, size));
}

/* --- tests --- */

static void cosignature_is_right_and_a_line_of_its_own(void **state)
{
	char note[NOTE_MAX * 2];
	struct tree_hash root;
	uint64_t time_s;
	struct note n;

	assert_int_equal(send_tree(0, 5), 200);
	assert_memory_equal(reply.body, "\xe2\x80\x94 witness.example/w1 ", 23);
	assert_ptr_equal(strchr(reply.body, '\n'), reply.body + reply.len - 1);
	root_of(5, &root);
	make_note("other.example/log", 5, &root, log_key, note);
	strcat(note, reply.body);
	assert_int_equal(note_parse(&n, note, strlen(note)), 0);
	assert_true(cosign_verify(&n, &witness_key, &time_s));
	assert_int_equal(time_s, WITNESS_NOW);
	assert_true(note_verify(&n, signer_key(log_key)));
	assert_false(note_verify(&n, &witness_key)); /* of another type */
	for (uint64_t old = 5, size = 6; size < LEAVES; old = size, size += size / 3)
		assert_int_equal(send_tree(old, size), 200);
}

static void wrong_old_size_is_answered_with_the_right_one(void **state)
{
	assert_int_equal(send_tree(3, 5), 409);
	assert_string_equal(reply.body, "0\n");
	assert_string_equal(reply.type, "text/x.tlog.size");
	assert_int_equal(send_tree(0, 5), 200);
	for (uint64_t old = 0; old < 10; old++) {
		if (old == 5)
			continue;
		assert_int_equal(send_tree(old, 10), 409);
		assert_string_equal(reply.body, "5\n");
		assert_string_equal(reply.type, "text/x.tlog.size");
	}
	assert_int_equal(send_tree(0, 4), 409); /* a smaller tree */
	assert_string_equal(reply.body, "5\n");
	assert_int_equal(send_tree(5, 4), 400); /* old size larger than the checkpoint's */
	assert_int_equal(send_tree(5, 5), 200);
	assert_int_equal(send_tree(5, 10), 200);
}

static char refused_text[NOTE_MAX];
static const char *refused_kind;

static int find_refused(const char *path, const struct stat *st, int type, struct FTW *at)
{
	FILE *f = strstr(path, refused_kind) ? fopen(path, "r") : NULL;

	if (f) {
		assert_true(fread(refused_text, 1, sizeof(refused_text) - 1, f) > 0);
		fclose(f);
	}
	return 0;
}

/* What the witness kept of what it refused; empty: nothing. */
static const char *refused_note(const char *kind)
{
	refused_kind = kind;
	memset(refused_text, 0, sizeof(refused_text));
	assert_int_equal(nftw(witness_path(""), find_refused, 16, FTW_PHYS), 0);
	return refused_text;
}

static void other_tree_is_refused_and_kept(void **state)
{
	struct tree_proof proof, wrong;
	struct tree_hash root;
	char note[NOTE_MAX], forked[NOTE_MAX];

	assert_int_equal(send_tree(0, 100), 200);
	leaf[50].byte[0] ^= 1; /* an entry was changed */
	assert_int_equal(send_tree(100, 200), 422);
	assert_string_equal(reply.body, "the checkpoint was not shown to go on from the one "
					"cosigned before\n");
	assert_non_null(strstr(refused_note(".refused"), "other.example/log\n200\n"));
	assert_string_equal(refused_note(".forked"), ""); /* it proves nothing yet */
	assert_int_equal(send_tree(100, 100), 409);
	assert_string_equal(reply.body, "100\n");
	strcpy(forked, refused_note(".forked")); /* both */
	assert_memory_equal(forked, "other.example/log\n100\n", 22);
	assert_non_null(strstr(forked, "\n\nother.example/log\n100\n"));
	leaf[51].byte[0] ^= 1;
	assert_int_equal(send_tree(100, 100), 409);
	assert_int_equal(send_tree(100, 200), 422);
	assert_string_equal(refused_note(".forked"), forked); /* nothing replaces it */
	leaf[51].byte[0] ^= 1;
	leaf[50].byte[0] ^= 1;
	root_of(200, &root);
	make_note("other.example/log", 200, &root, log_key, note);
	assert_int_equal(tree_consistency(100, 200, subtree, NULL, &proof), 0);
	for (size_t i = 0; i < proof.count; i++) {
		wrong = proof;
		wrong.hash[i].byte[i] ^= 0x80;
		assert_int_equal(send_note(100, &wrong, note), 422);
	}
	wrong = proof;
	wrong.count--;
	assert_int_equal(send_note(100, &wrong, note), 422);
	wrong.count += 2;
	wrong.hash[proof.count] = root;
	assert_int_equal(send_note(100, &wrong, note), 422);
	assert_int_equal(send_note(100, &proof, note), 200);
}

static void unknown_logs_and_keys_are_refused(void **state)
{
	struct tree_proof none = {};
	struct tree_hash root;
	struct signer *stranger;
	char note[NOTE_MAX];

	assert_int_equal(signer_new(&stranger, "other.example/log"), 0);
	root_of(5, &root);
	make_note("nobody.example/log", 5, &root, log_key, note);
	assert_int_equal(send_note(0, &none, note), 404);
	make_note("other.example/log", 5, &root, stranger, note);
	assert_int_equal(send_note(0, &none, note), 403);
	make_note("other.example/log", 5, &root, log_key, note);
	note[strlen("other.example/log\n")] = '6';
	assert_int_equal(send_note(0, &none, note), 403);
	signer_free(stranger);
}

/* Of keys that are not known here, of any algorithm and length. */
static void other_signatures_are_ignored(void **state)
{
	static char note[NOTE_READ_MAX];
	struct tree_proof none = {};
	struct tree_hash root;
	size_t len;

	root_of(5, &root);
	make_note("other.example/log", 5, &root, log_key, note);
	strcat(note, "\xe2\x80\x94 \xc3\xa9toile AAAAAEFC\n\xe2\x80\x94 post-quantum ");
	len = strlen(note);
	memset(note + len, 'A', 4000);
	strcpy(note + len + 4000, "\n");
	assert_int_equal(send_note(0, &none, note), 200);
	assert_int_equal(send_tree(5, 6), 200);
	strcat(note, "\xe2\x80\x94 broken AAA*AAAA\n");
	assert_int_equal(send_note(0, &none, note), 400);
}

static void malformed_requests_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"old 0",
		"old 0\n",
		"old 00\n\n%s",
		"old -1\n\n%s",
		"old\n\n%s",
		"old 0 \n\n%s",
		"new 0\n\n%s",
		"old 0\n%s",
		"old 0\nAAAA\n\n%s",
		"old 0\r\n\n%s",
		"old 99999999999999999999\n\n%s",
		"old 0\n\nother.example/log\n5\n",
		"old 0\n\n\n%s",
	};
	char note[NOTE_MAX], body[2 * NOTE_MAX];
	struct http_request r = {.method = "GET", .target = "/add-checkpoint"};
	struct tree_hash root;
	size_t n;

	root_of(5, &root);
	make_note("other.example/log", 5, &root, log_key, note);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		const char *place = strstr(wrong[i], "%s");

		n = place ? (size_t)(place - wrong[i]) : strlen(wrong[i]);
		snprintf(body, sizeof(body), "%.*s%s", (int)n, wrong[i], place ? note : "");
		if (answer("/add-checkpoint", body) != 400)
			fail_msg("number %zu: %d", i, reply.status);
	}
	n = (size_t)sprintf(body, "old 5\n");
	for (int i = 0; i < 64; i++)
		n += (size_t)sprintf(body + n, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
	sprintf(body + n, "\n%s", note);
	assert_int_equal(answer("/add-checkpoint", body), 400);
	assert_int_equal(answer("/add-delegation", ""), 400);
	assert_int_equal(answer("/add-delegation", note), 400);
	assert_int_equal(answer("/", body), 404);
	witness_answer(witness, &r, "", &reply);
	assert_int_equal(reply.status, 405);
}

/* What is not on the disk is not answered for, nor remembered. */
static void failing_disk_cosigns_nothing(void **state)
{
	assert_int_equal(send_tree(0, 5), 200);
	disk_fails = true;
	assert_int_equal(send_tree(5, 10), 500);
	assert_null(strstr(reply.body, "witness.example"));
	disk_fails = false;
	assert_int_equal(send_tree(10, 20), 409);
	assert_string_equal(reply.body, "5\n");
	assert_int_equal(send_tree(5, 10), 200);
}

static void killed_witness_remembers_what_it_answered(void **state)
{
	char *first = make_request(0, 5), *second = make_request(5, 77); /* a child has no keys */
	int status;
	pid_t pid;

	witness_close(witness);
	witness = NULL;
	pid = fork();
	if (!pid) {
		know();
		if (send_body(first) == 200 && send_body(second) == 200)
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	free(first);
	free(second);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	know();
	assert_int_equal(send_tree(0, 80), 409);
	assert_string_equal(reply.body, "77\n");
	assert_int_equal(send_tree(77, 80), 200);
}

/* Each file of a log's state: damaged, it is not taken for an empty one. */
static int damage(const char *path, const struct stat *st, int type, struct FTW *at)
{
	FILE *f = type == FTW_F && strstr(path, "/logs/") ? fopen(path, "r+") : NULL;

	if (f) {
		fputc('#', f);
		fclose(f);
	}
	return 0;
}

static void damaged_state_is_not_forgotten(void **state)
{
	char error[WITNESS_ERROR_LEN];

	assert_int_equal(send_tree(0, 5), 200);
	witness_close(witness);
	assert_int_equal(nftw(witness_path(""), damage, 16, FTW_PHYS), 0);
	assert_int_equal(witness_open(&witness, witness_path(""), "w", error), 0);
	assert_int_equal(witness_know(witness, log_path("known"), error), -EBADMSG);
	assert_non_null(strstr(error, "is not what this witness cosigned: restore it"));
	witness_close(witness);
	assert_int_equal(unlink(witness_path("identity.pem")), 0);
	assert_int_equal(witness_open(&witness, witness_path(""), "w", error), -ENOENT);
	assert_non_null(strstr(error, "is missing, though there is state"));
	witness = NULL;
}

static void wrong_keys_and_directories_are_named(void **state)
{
	static const char *const wrong[] = {"nonsense\n", "a+00000000+AAAA\n"};
	char error[WITNESS_ERROR_LEN], vkey[NOTE_VKEY_LEN];
	struct witness *second;
	int status;
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		log_write("known", wrong[i], strlen(wrong[i]));
		assert_int_equal(witness_know(witness, log_path("known"), error), -EINVAL);
		assert_non_null(strstr(error, "is no verification key of a log"));
	}
	witness_vkey(witness, vkey); /* of a witness, not of a log */
	log_write("known", vkey, strlen(vkey));
	assert_int_equal(witness_know(witness, log_path("known"), error), -EINVAL);
	assert_int_equal(witness_know(witness, log_path("none"), error), -ENOENT);
	pid = fork();
	if (!pid)
		_exit(witness_open(&second, witness_path(""), "w", error) != -EBUSY);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(witness_open(&second, witness_path("other"), "a b", error), -EINVAL);
	assert_int_equal(chmod(witness_path(""), 0755), 0);
	assert_int_equal(witness_open(&second, witness_path(""), "w", error), -EPERM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cosignature_is_right_and_a_line_of_its_own),
		TEST(wrong_old_size_is_answered_with_the_right_one),
		TEST(other_tree_is_refused_and_kept),
		TEST(unknown_logs_and_keys_are_refused),
		TEST(other_signatures_are_ignored),
		TEST(malformed_requests_are_refused),
		TEST(failing_disk_cosigns_nothing),
		TEST(killed_witness_remembers_what_it_answered),
		TEST(damaged_state_is_not_forgotten),
		TEST(wrong_keys_and_directories_are_named),
	};

	log_quiet();
	return cmocka_run_group_tests_name("witness protocol", tests, NULL, NULL);
}
