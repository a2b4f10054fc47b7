/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tools.c - a log is verified by programs that nobody here wrote: openssl, signify, minisign, ssh-keygen, and Go's packages
 * note and tlog. Each accepts what was written, and refuses it when a byte was changed.
 */
#include "witness_server.h"

#include "base/log.h"
#include "base/macros.h"
#include "cmd/verbs.h"

#include <sys/wait.h>

static char out_dir[128]; /* what `evidence signatures` wrote */
static char origin[NOTE_NAME_LEN];

/* Returns the exit status of a program that runs in that directory. Skips the test if there is none. */
static int run_in(const char *dir, const char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (!chdir(dir) && freopen("/dev/null", "w", stdout) &&
		    freopen("/dev/null", "w", stderr))
			execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 127)
		skip();
	return WEXITSTATUS(status);
}

/* What a verb of `cachewarden evidence` prints, in that file of the scratch directory. */
static void run_verb(char *const argv[], int argc, const char *output)
{
	char path[256];
	int status;
	pid_t pid = fork();

	snprintf(path, sizeof(path), "%s/%s", scratch, output);
	if (!pid) {
		if (!freopen(path, "w", stdout))
			_exit(127);
		_exit(cmd_evidence(argc, (char **)argv));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Two writers and three keys. */
static int make(void **state)
{
	char *argv[] = {"evidence", "signatures", out_dir, log_dir, NULL};
	char error[READER_ERROR_LEN];
	struct verified v;
	struct recovery found;
	struct store *s;

	if (scratch_make(state))
		return -1;
	snprintf(out_dir, sizeof(out_dir), "%s/out", scratch);
	log_make(300);
	s = log_open(&found);
	log_fill(s, 300, 500);
	assert_int_equal(store_rotate(s, 1), 0);
	log_fill(s, 500, 700);
	assert_int_equal(store_finish(s), 0);
	store_close(s);
	assert_int_equal(log_verify(&v, error), 0);
	assert_int_equal(v.epochs, 3);
	strcpy(origin, v.origin);
	run_verb(argv, 4, "commands");
	return 0;
}

/* The program refuses the file with each of its bytes changed, from one on; every step-th of them. */
static void assert_refuses(const char *const argv[], const char *name, size_t from, size_t to,
			   size_t step)
{
	char path[256], *bytes;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", out_dir, name);
	assert_int_equal(disk_read(AT_FDCWD, path, 1 << 20, &bytes, &len), 0);
	f = fopen(path, "r+");
	assert_non_null(f);
	for (size_t i = from; i < (to < len ? to : len); i += step) {
		if (bytes[i] == '\n') /* in base64, nobody cares for white space */
			i++;
		if (i >= len)
			break;
		fseek(f, (long)i, SEEK_SET);
		fputc(bytes[i] ^ 1, f);
		fflush(f);
		if (!run_in(out_dir, argv))
			fail_msg("%s accepts byte %zu of %s changed", argv[0], i, name);
		fseek(f, (long)i, SEEK_SET);
		fputc(bytes[i], f);
		fflush(f);
	}
	fclose(f);
	free(bytes);
	assert_int_equal(run_in(out_dir, argv), 0);
}

static size_t first_line(const char *name)
{
	char path[256], *bytes;
	size_t len, n;

	snprintf(path, sizeof(path), "%s/%s", out_dir, name);
	assert_int_equal(disk_read(AT_FDCWD, path, 1 << 20, &bytes, &len), 0);
	n = strcspn(bytes, "\n") + 1;
	free(bytes);
	return n;
}

static void openssl_verifies(void **state)
{
	static const char *const argv[] = {"openssl",	     "pkeyutl",	    "-verify",	   "-pubin",
					   "-inkey",	     "openssl.pem", "-rawin",	   "-in",
					   "checkpoint.txt", "-sigfile",    "openssl.sig", NULL};

	assert_int_equal(run_in(out_dir, argv), 0);
	assert_refuses(argv, "checkpoint.txt", 0, SIZE_MAX, 7);
	assert_refuses(argv, "openssl.sig", 0, SIZE_MAX, 7);
}

static void signify_verifies(void **state)
{
	static const char *const argv[] = {
		"signify-openbsd", "-V", "-p", "signify.pub", "-x", "signify.sig", "-m",
		"checkpoint.txt",  NULL};

	assert_int_equal(run_in(out_dir, argv), 0);
	assert_refuses(argv, "checkpoint.txt", 0, SIZE_MAX, 5);
	assert_refuses(argv, "signify.sig", first_line("signify.sig"), SIZE_MAX, 4);
	assert_refuses(argv, "signify.pub", first_line("signify.pub"), SIZE_MAX, 4);
}

static void minisign_verifies(void **state)
{
	static const char *const argv[] = {"minisign", "-V",	       "-p", "minisign.pub",
					   "-x",       "minisign.sig", "-m", "checkpoint.txt",
					   NULL};

	assert_int_equal(run_in(out_dir, argv), 0);
	assert_refuses(argv, "checkpoint.txt", 0, SIZE_MAX, 5);
	assert_refuses(argv, "minisign.sig", first_line("minisign.sig"), SIZE_MAX, 4);
	assert_refuses(argv, "minisign.pub", first_line("minisign.pub"), SIZE_MAX, 4);
}

static void ssh_keygen_verifies(void **state)
{
	static const char script[] =
		"ssh-keygen -Y verify -f allowed_signers -I \"$1\" -n cachewarden -s ssh.sig <checkpoint.txt";
	const char *const argv[] = {"sh", "-c", script, "sh", origin, NULL};

	assert_int_equal(run_in(out_dir, argv), 0);
	assert_refuses(argv, "checkpoint.txt", 0, SIZE_MAX, 7);
	assert_refuses(argv, "ssh.sig", 0, SIZE_MAX, 9);
	assert_refuses(argv, "allowed_signers", 0, SIZE_MAX, 11);
}

/* The commands that are printed are those that work. */
static void printed_commands_verify(void **state)
{
	const char *const argv[] = {"sh", "-e", "../commands", NULL};

	assert_int_equal(run_in(out_dir, argv), 0);
	assert_refuses(argv, "checkpoint.txt", 0, SIZE_MAX, 50);
}

/* The commands of docs/evidence.md. */
static void openssl_verifies_a_cosignature(void **state)
{
	static const char script[] =
		"key=MCowBQYDK2VwAyEA vkey=$(cut -d + -f 3- witness/vkey)\n"
		"{ echo $key | base64 -d; echo $vkey | base64 -d | tail -c 32; } |\n"
		"	openssl pkey -pubin -inform DER -out key.pem &&\n"
		"sed '/^$/,$d' out/cosigned >text &&\n"
		"grep '^\xe2\x80\x94 witness.example/w1 ' out/cosigned | sed 's/.* //' | base64 -d >sig &&\n"
		"time=$(printf '%d' \"0x$(head -c 12 sig | tail -c 8 | od -A n -t x1 | tr -d ' ')\") &&\n"
		"{ printf 'cosignature/v1\\ntime %s\\n' \"$time\"; cat text; } >message &&\n"
		"tail -c 64 sig >signature &&\n"
		"openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in message -sigfile signature\n";
	const char *const argv[] = {"sh", "-c", script, NULL};
	const char *const in_out[] = {"sh", "-c", "cd .. && sh -c \"$1\"", "sh", script, NULL};
	char path[COSIGNED_PATH_LEN], copy[256], *bytes;
	size_t len;
	FILE *f;

	witness_begin();
	assert_cosigned(702);
	witness_end();
	cosigned_path(&witness_key, path);
	bytes = log_read(path, &len);
	snprintf(copy, sizeof(copy), "%s/cosigned", out_dir);
	f = fopen(copy, "w");
	assert_non_null(f);
	fwrite(bytes, 1, len, f);
	fclose(f);
	assert_int_equal(run_in(scratch, argv), 0);
	assert_refuses(in_out, "cosigned", 0, strcspn(bytes, "\xe2") - 1, 11);
	free(bytes);
}

/* --- Go --- */

static void flip(const char *path, size_t at)
{
	FILE *f = fopen(path, "r+");
	int c;

	assert_non_null(f);
	fseek(f, (long)at, SEEK_SET);
	c = fgetc(f);
	assert_int_not_equal(c, EOF);
	fseek(f, (long)at, SEEK_SET);
	fputc(c ^ 1, f);
	fclose(f);
}

static void go_refuses(const char *const argv[], const char *path, size_t from, size_t to,
		       size_t step)
{
	for (size_t i = from; i < to; i += step) {
		flip(path, i);
		if (!run_in("/", argv))
			fail_msg("Go accepts byte %zu of %s changed", i, path);
		flip(path, i);
	}
	assert_int_equal(run_in("/", argv), 0);
}

static void go_build(char program[256])
{
	static const char script[] =
		"GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$1/go GOFLAGS= go build -o $1/evidence "
		"tests/tools/evidence.go";
	const char *const argv[] = {"sh", "-c", script, "sh", scratch, NULL};

	snprintf(program, 256, "%s/evidence", scratch);
	if (access("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog", F_OK))
		skip();
	assert_int_equal(run_in(".", argv), 0); /* 127, skipped: no Go */
}

static void go_verifies_log_proof_and_cosignature(void **state)
{
	char program[256], proof[256], cosigned[512], path[COSIGNED_PATH_LEN], *vkey;
	char witness_text[NOTE_VKEY_LEN];
	char *prove[] = {"evidence", "prove", "321", log_dir, NULL};
	const char *argv[] = {program, log_dir, NULL, proof, cosigned, witness_text, NULL};
	size_t len;

	go_build(program);
	witness_begin();
	assert_cosigned(702);
	witness_end();
	run_verb(prove, 4, "proof");
	snprintf(proof, sizeof(proof), "%s/proof", scratch);
	cosigned_path(&witness_key, path);
	snprintf(cosigned, sizeof(cosigned), "%s", log_path(path));
	note_vkey_as(&witness_key, NOTE_COSIGNATURE, witness_text);
	vkey = log_read("vkey", &len);
	argv[2] = vkey;
	assert_int_equal(run_in("/", argv), 0);
	go_refuses(argv, log_path("checkpoint"), 0, 200, 9);
	go_refuses(argv, log_path("tile/entries/001"), 0, 10000, 997);
	go_refuses(argv, log_path("tile/entries/002.p/190"), 0, 10000, 997);
	go_refuses(argv, proof, 0, 600, 29);
	go_refuses(argv, cosigned, 0, 200, 9);
	free(vkey);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(openssl_verifies),
		TEST(signify_verifies),
		TEST(minisign_verifies),
		TEST(ssh_keygen_verifies),
		TEST(printed_commands_verify),
		TEST(openssl_verifies_a_cosignature),
		TEST(go_verifies_log_proof_and_cosignature),
	};

	log_quiet();
	return cmocka_run_group_tests_name("tools", tests, NULL, NULL);
}
