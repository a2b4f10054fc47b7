/* SPDX-License-Identifier: BSD-2-Clause */
/* test_store.c - the evidence log on disk: written, opened again, proved, recovered. Damage to it: test_store_damage.c. */
#include "evidence_log.h"

#include "base/macros.h"
#include "cmd/verbs.h"
#include "evidence/prove.h"
#include "evidence/tree.h"
#include "evidence/wal.h"

#include <errno.h>
#include <openssl/evp.h>
#include <sys/wait.h>

/* --- written and read --- */

struct numbers {
	uint64_t next, entries;
};

static int check_number(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct numbers *n = ctx;
	char want[64];

	assert_int_equal(at->index, n->entries++);
	if (entry_is(entry, len, "epoch"))
		return 0;
	snprintf(want, sizeof(want),
		 "{\"kind\":\"event\",\"record\":{\"number\":%llu},\"time\":1000}",
		 (unsigned long long)n->next++);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(entry, want, len);
	return 0;
}

static void assert_numbers(uint64_t next)
{
	struct numbers n = {.next = 1};
	struct reader r;

	assert_int_equal(reader_open(&r, log_dir), 0);
	assert_int_equal(reader_each(&r, 0, check_number, &n, NULL), 0);
	assert_int_equal(n.next, next);
	reader_close(&r);
}

static void new_log_has_a_delegation_and_verifies(void **state)
{
	struct recovery found;
	struct store *s = log_open(&found);
	struct stat st;

	assert_true(found.fresh);
	assert_int_equal(store_signed(s), 1);
	assert_verifies(1);
	store_close(s);
	assert_int_equal(stat(log_dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(log_path("identity.pem"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* Around the borders of bundles and of segments of the write-ahead log. */
static void entries_are_there_when_opened_again(void **state)
{
	static const uint64_t grow[] = {2,   100, 254,	255,  256,  257,  300,
					511, 512, 1023, 1024, 1025, 2047, 2049};
	uint64_t number = 1;

	for (size_t i = 0; i < ARRAY_SIZE(grow); i++) {
		struct recovery found;
		struct store *s = log_open(&found);
		uint64_t size = store_signed(s), more = grow[i] > size ? grow[i] - size : 0;

		assert_int_equal(found.replayed, 0);
		assert_int_equal(found.cut, 0);
		log_fill(s, number, number + more);
		number += more;
		assert_int_equal(store_signed(s), size + more);
		store_close(s);
		assert_verifies(size + more);
		assert_numbers(number);
	}
}

static void several_segments_in_one_commit(void **state)
{
	struct recovery found;
	struct store *s = log_open(&found);

	for (uint64_t i = 1; i < 5000; i++)
		assert_int_equal(log_append(s, i), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_signed(s), 5000);
	store_close(s);
	assert_verifies(5000);
	assert_numbers(5000);
	assert_int_not_equal(access(log_path("wal/00000003.wal"), F_OK),
			     0); /* its bundles are there */
	assert_int_equal(access(log_path("wal/00000004.wal"), F_OK), 0);
}

/* What is left for other readers when the writer ends has the entries that it ends with, too. */
static void end_has_the_last_entries(void **state)
{
	struct recovery found;
	struct store *s = log_open(&found);
	size_t len, at = 0, n = 0;
	char *bytes;

	for (uint64_t i = 1; i < 10; i++)
		assert_int_equal(log_append(s, i), 0);
	assert_int_equal(store_finish(s), 0);
	assert_int_equal(store_signed(s), 10);
	store_close(s);
	bytes = log_read("tile/entries/000.p/10", &len);
	for (; at < len; n++)
		at += 2 + ((size_t)(uint8_t)bytes[at] << 8 | (uint8_t)bytes[at + 1]);
	assert_int_equal(n, 10);
	free(bytes);
	bytes = log_read("tile/0/000.p/10", &len);
	assert_int_equal(len, 10 * TREE_HASH_LEN);
	free(bytes);
	assert_verifies(10);
}

static void uncommitted_entries_are_not_there(void **state)
{
	struct recovery found;
	struct store *s = log_open(&found);

	assert_int_equal(log_append(s, 1), 0);
	assert_int_equal(store_pending(s), 1);
	store_close(s);
	assert_verifies(1);
}

static void key_is_changed_in_an_entry(void **state)
{
	char error[READER_ERROR_LEN];
	struct recovery found;
	struct verified before, after;
	struct store *s = log_open(&found);

	log_fill(s, 1, 10);
	assert_int_equal(log_verify(&before, error), 0);
	assert_int_equal(store_rotate(s, 5), 0);
	assert_int_equal(log_verify(&after, error), 0);
	assert_int_equal(after.size, 11);
	assert_int_equal(after.epochs, 2);
	assert_int_equal(after.starts, 1);
	assert_memory_not_equal(before.key.public, after.key.public, NOTE_KEY_LEN);
	log_fill(s, 10, 600);
	store_close(s);
	s = log_open(&found);
	store_close(s);
	assert_int_equal(log_verify(&after, error), 0);
	assert_int_equal(after.epochs, 3);
	assert_int_equal(after.starts, 2);
}

static void queue_in_memory_is_bounded(void **state)
{
	static char large[ENTRY_MAX + 1];
	struct recovery found;
	struct store *s = log_open(&found);
	int err = 0, n = 0;

	memset(large, 'x', sizeof(large));
	assert_int_equal(store_append(s, large, ENTRY_MAX + 1), -EINVAL);
	for (; !err && n < 10000; n++)
		err = store_append(s, large, ENTRY_MAX);
	assert_int_equal(err, -ENOBUFS);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_append(s, large, ENTRY_MAX), 0);
	store_close(s);
}

/* An entry of a log that somebody wrote is neither text for the terminal nor a line of its own. */
static void hostile_bytes_are_not_shown(void **state)
{
	static const char raw[] = "\x1b[2J\n{\"index\":9}\n";
	static const char c1[] = "{\"record\":{\"text\":\"\xc2\x9b"
				 "2J\"},\"kind\":\"event\"}";
	char *argv[] = {"evidence", "show", log_dir, NULL}, *out;
	struct recovery found;
	struct store *s = log_open(&found);
	int status;
	size_t len;
	pid_t pid;

	assert_int_equal(store_append(s, raw, strlen(raw)), 0);
	assert_int_equal(store_append(s, c1, strlen(c1)), 0);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
	pid = fork();
	if (!pid) {
		if (!freopen(log_path("out"), "w", stdout))
			_exit(127);
		_exit(cmd_evidence(3, argv));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	out = log_read("out", &len);
	assert_non_null(strstr(out, "}\n{\"index\":1,\"entry\":null,\"damaged\":true}\n"
				    "{\"index\":2,\"entry\":{\"kind\":\"event\","
				    "\"record\":{\"text\":\"\\u009B2J\"}}}\n"));
	assert_null(memchr(out, 0x1b, len));
	free(out);
}

/* --- proofs --- */

static void every_entry_can_be_proved(void **state)
{
	struct reader r;
	char *none;

	log_make(700);
	for (uint64_t i = 0; i < 700; i += i < 250 || i > 520 ? 7 : 1) {
		char *text;

		assert_int_equal(reader_open(&r, log_dir), 0);
		if (prove(&r, i, &text)) /* checks what it made */
			fail_msg("entry %llu: %s", (unsigned long long)i, r.error);
		assert_int_equal(strncmp(text, "c2sp.org/tlog-proof@v1\nextra ", 29), 0);
		assert_non_null(strstr(text, r.note_text));
		free(text);
		reader_close(&r);
	}
	assert_int_equal(reader_open(&r, log_dir), 0);
	assert_int_equal(prove(&r, 700, &none), -EBADMSG);
	assert_null(none);
	assert_non_null(strstr(r.error, "entry 700: there is none"));
	reader_close(&r);
}

/* Returns the exit status. Skips the test if there is no such program. */
static int run(const char *program, const char *a, const char *b, const char *c, const char *d,
	       const char *e)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (freopen("/dev/null", "w", stderr))
			execlp(program, program, a, b, c, d, e, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 127)
		skip();
	return WEXITSTATUS(status);
}

/* Hashed again by Python's hashlib, from the files alone: no code of ours. */
static void another_program_gets_the_same_root(void **state)
{
	static const char script[] =
		"import sys,os,hashlib,base64\n"
		"d=sys.argv[1]; L=[]\n"
		"def bundle(b):\n"
		"    while b:\n"
		"        n=b[0]<<8|b[1]; L.append(hashlib.sha256(b'\\0'+b[2:2+n]).digest()); b=b[2+n:]\n"
		"size=int(open(d+'/checkpoint').read().split('\\n')[1])\n"
		"for i in range(size//256): bundle(open(d+'/tile/entries/%03d'%i,'rb').read())\n"
		"if size%256: bundle(open(d+'/tile/entries/%03d.p/%d'%(size//256,size%256),'rb').read())\n"
		"def mth(l):\n"
		"    if len(l)==1: return l[0]\n"
		"    k=1\n"
		"    while 2*k<len(l): k*=2\n"
		"    return hashlib.sha256(b'\\1'+mth(l[:k])+mth(l[k:])).digest()\n"
		"assert len(L)==size\n"
		"for i in range(size//256): assert open(d+'/tile/0/%03d'%i,'rb').read()==b''.join(L[256*i:256*i+256])\n"
		"assert open(d+'/tile/0/%03d.p/%d'%(size//256,size%256),'rb').read()==b''.join(L[size//256*256:])\n"
		"assert open(d+'/tile/1/000.p/%d'%(size//256),'rb').read()==b''.join(mth(L[256*i:256*i+256]) for i in range(size//256))\n"
		"sys.exit(base64.b64encode(mth(L)).decode()!=open(d+'/checkpoint').read().split('\\n')[2])\n";
	struct recovery found;
	struct store *s = log_open(&found);

	log_fill(s, 1, 700);
	assert_int_equal(store_finish(s), 0);
	store_close(s);
	assert_int_equal(run("python3", "-c", script, log_dir, NULL, NULL), 0);
}

/* The base64 of a verification key: it may have a plus, too. */
static const char *key_in(const char *vkey)
{
	return strchr(strchr(vkey, '+') + 1, '+') + 1;
}

/* The commands of docs/evidence.md. */
static void openssl_verifies_the_checkpoint(void **state)
{
	static const char script[] =
		"cd \"$1\" && key=MCowBQYDK2VwAyEA && vkey=$2 &&\n"
		"{ echo $key | base64 -d; echo $vkey | base64 -d | tail -c 32; } |\n"
		"	openssl pkey -pubin -inform DER -out key.pem &&\n"
		"sed '/^$/,$d' checkpoint >text &&\n"
		"grep -m 1 '^\xe2\x80\x94 ' checkpoint | sed 's/.* //' | base64 -d | tail -c 64 >signature &&\n"
		"openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in text -sigfile signature >/dev/null\n";
	char error[READER_ERROR_LEN], vkey[NOTE_VKEY_LEN];
	struct verified v;

	log_make(20);
	assert_int_equal(log_verify(&v, error), 0);
	note_vkey(&v.key, vkey);
	assert_int_equal(run("sh", "-c", script, "sh", log_dir, key_in(vkey)), 0);
	v.key.public[0] ^= 1;
	note_vkey(&v.key, vkey);
	assert_int_not_equal(run("sh", "-c", script, "sh", log_dir, key_in(vkey)), 0);
}

/* --- recovery --- */

/* Every way the last block of the write-ahead log can be cut off, and what was not signed be read again. */
static void cut_of_the_write_ahead_log_at_every_byte(void **state)
{
	size_t len, signed_len, at_signed = 30;
	struct recovery found;
	struct store *s;
	char *bytes, *checkpoint, copy[sizeof(log_dir)];
	size_t checkpoint_len;

	log_make(at_signed);
	checkpoint = log_read("checkpoint", &checkpoint_len);
	free(log_read("wal/00000000.wal", &signed_len));
	s = log_open(&found); /* entry 30 is a delegation */
	log_fill(s, 30, 40);
	store_close(s);
	bytes = log_read("wal/00000000.wal", &len);
	strcpy(copy, log_dir);
	for (size_t cut = signed_len; cut <= len; cut++) {
		uint64_t good = 0;
		size_t at = 0, n;
		const char *entry;

		while (frame_next((uint8_t *)bytes, cut, &at, &entry, &n) == FRAME_FINE)
			good++;
		log_write("wal/00000000.wal", bytes, cut);
		log_write("checkpoint", checkpoint, checkpoint_len); /* the crash came before it */
		s = log_open(&found);
		assert_int_equal(found.signed_size, at_signed);
		assert_int_equal(found.replayed, good - at_signed);
		assert_int_equal(found.cut, cut - at);
		assert_int_equal(store_signed(s), good + 1);
		store_close(s);
		assert_verifies(good + 1);
	}
	/* below what the checkpoint claims nothing is cut, and nothing signed */
	for (size_t cut = signed_len - 1; cut > signed_len - 60; cut--) {
		char error[STORE_ERROR_LEN];

		log_write("wal/00000000.wal", bytes, cut);
		log_write("checkpoint", checkpoint, checkpoint_len);
		assert_int_equal(store_open(&s, log_dir, "h", &found, error), -EBADMSG);
		assert_non_null(strstr(error, "entry 29: wal/00000000.wal, byte "));
		free(log_read("wal/00000000.wal", &len));
		assert_int_equal(len, cut);
	}
	free(bytes);
	free(checkpoint);
}

static void changed_log_is_not_continued(void **state)
{
	static const char *const files[] = {"tile/0/000", "wal/00000000.wal", "checkpoint", "vkey",
					    "identity.pem"};
	char error[STORE_ERROR_LEN];
	struct recovery found;
	struct store *s;

	log_make(300);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		size_t len;
		char *bytes = log_read(files[i], &len);

		bytes[len / 2] ^= 1;
		log_write(files[i], bytes, len);
		error[0] = '\0';
		if (!store_open(&s, log_dir, "h", &found, error))
			fail_msg("%s was changed, and the log continued", files[i]);
		assert_true(strlen(error) > 10);
		bytes[len / 2] ^= 1;
		log_write(files[i], bytes, len);
		free(bytes);
	}
	assert_int_equal(unlink(log_path("checkpoint")), 0);
	assert_int_equal(store_open(&s, log_dir, "h", &found, error), -EBADMSG);
	assert_string_equal(error, "its checkpoint is missing");
}

/* It may be kept elsewhere while the writer runs. */
static void identity_key_is_needed_at_the_start_alone(void **state)
{
	char error[STORE_ERROR_LEN], *key;
	struct recovery found;
	struct store *s = log_open(&found);
	size_t len;

	key = log_read("identity.pem", &len);
	assert_int_equal(unlink(log_path("identity.pem")), 0);
	log_fill(s, 1, 20);
	assert_int_equal(store_rotate(s, 5), 0);
	store_close(s);
	assert_verifies(21);
	assert_int_equal(store_open(&s, log_dir, "h", &found, error), -ENOENT);
	assert_string_equal(error, "identity.pem or vkey is missing, though there is a log");
	log_write("identity.pem", key, len);
	s = log_open(&found);
	store_close(s);
	assert_verifies(22);
	free(key);
}

static void second_writer_is_refused(void **state)
{
	char error[STORE_ERROR_LEN], want[64];
	struct recovery found;
	struct store *s = log_open(&found), *second;
	int status;
	pid_t pid = fork();

	if (!pid) { /* a lock is a process's */
		int err = store_open(&second, log_dir, "h", &found, error);

		snprintf(want, sizeof(want), "process %d writes to it already", (int)getppid());
		_exit(err == -EBUSY && !strcmp(error, want) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_close(s);
	s = log_open(&found);
	store_close(s);
}

/* A child of the writer, like the monitor's guard, does not keep the log from the next writer. */
static void child_does_not_keep_the_lock(void **state)
{
	struct recovery found;
	struct store *s = log_open(&found);
	int pipes[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		close(pipes[1]);
		_exit(read(pipes[0], &c, 1) != 0);
	}
	store_close(s);
	s = log_open(&found);
	store_close(s);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void directory_that_others_can_enter_is_refused(void **state)
{
	char error[STORE_ERROR_LEN];
	struct recovery found;
	struct store *s;

	assert_int_equal(mkdir(log_dir, 0755), 0);
	assert_int_equal(chmod(log_dir, 0755), 0);
	assert_int_equal(store_open(&s, log_dir, "h", &found, error), -EPERM);
	assert_non_null(strstr(error, "chmod 700"));
	assert_int_equal(rmdir(log_dir), 0);
	assert_int_equal(symlink(scratch, log_dir), 0);
	assert_true(store_open(&s, log_dir, "h", &found, error) < 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_log_has_a_delegation_and_verifies),
		TEST(entries_are_there_when_opened_again),
		TEST(several_segments_in_one_commit),
		TEST(end_has_the_last_entries),
		TEST(uncommitted_entries_are_not_there),
		TEST(key_is_changed_in_an_entry),
		TEST(queue_in_memory_is_bounded),
		TEST(hostile_bytes_are_not_shown),
		TEST(every_entry_can_be_proved),
		TEST(another_program_gets_the_same_root),
		TEST(openssl_verifies_the_checkpoint),
		TEST(cut_of_the_write_ahead_log_at_every_byte),
		TEST(changed_log_is_not_continued),
		TEST(identity_key_is_needed_at_the_start_alone),
		TEST(second_writer_is_refused),
		TEST(child_does_not_keep_the_lock),
		TEST(directory_that_others_can_enter_is_refused),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
