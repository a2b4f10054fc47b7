// SPDX-License-Identifier: BSD-2-Clause
/* test_blob.c - executables that are kept beside a log: whole, bounded, found out if they were changed, and gone with their entries. */
#include "attest_log.h"

#include "cmd/verbs.h"
#include "evidence/blob.h"

#include <errno.h>
#include <sys/mman.h>

#define PLENTY (1u << 20)

static int log_fd(void)
{
	int fd = open(log_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int file_of(const char *bytes, size_t len)
{
	int fd = memfd_create("blob", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	return fd;
}

/* Returns what blob_keep() did. */
static int keep(int log, const char *text, uint64_t most, char sha256[DIGEST_LEN], uint64_t *added)
{
	int fd = file_of(text, strlen(text)), err = blob_keep(log, fd, most, NULL, sha256, added);

	close(fd);
	return err;
}

static void blob_path(const char *sha256, char buf[256])
{
	snprintf(buf, 256, "%s/" BLOB_DIR "/%.2s/%s", log_dir, sha256, sha256);
}

static int make(void **state)
{
	return scratch_make(state) ?: mkdir(log_dir, 0700);
}

static void what_is_kept_is_named_by_its_digest(void **state)
{
	char sha256[DIGEST_LEN], path[256], *bytes;
	int log = log_fd();
	struct stat st;
	uint64_t added;
	size_t len;

	assert_int_equal(keep(log, "abc", PLENTY, sha256, &added), 0);
	assert_int_equal(added, 3);
	assert_string_equal(sha256,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	blob_path(sha256, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(blob_read(log, sha256, PLENTY, &bytes, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(bytes, "abc", 3);
	free(bytes);
	/* once */
	assert_int_equal(keep(log, "abc", PLENTY, sha256, &added), 0);
	assert_int_equal(added, 0);
	assert_int_equal(keep(log, "", PLENTY, sha256, &added), 0);
	assert_int_equal(blobs_size(log), 3);
	close(log);
}

static void what_is_too_large_leaves_nothing(void **state)
{
	char sha256[DIGEST_LEN] = "x";
	int log = log_fd();
	uint64_t added;

	assert_int_equal(keep(log, "abcd", 3, sha256, &added), -EFBIG);
	assert_string_equal(sha256, "");
	assert_int_equal(added, 0);
	assert_int_equal(shell("test -z \"$(find log -type f)\""), 0);
	close(log);
}

/* A writer that was killed leaves a part of one: the next one removes it. */
static void what_was_begun_is_removed(void **state)
{
	int log = log_fd();

	assert_int_equal(shell("mkdir -p log/" BLOB_DIR " && echo x >log/" BLOB_DIR "/begun-3"), 0);
	blobs_clean(log);
	assert_int_equal(shell("test -z \"$(find log -type f)\""), 0);
	close(log);
}

static void a_changed_one_is_found(void **state)
{
	char sha256[DIGEST_LEN], bad[DIGEST_LEN], path[256], *bytes;
	int log = log_fd(), fd;
	uint64_t n;
	size_t len;

	assert_int_equal(keep(log, "abc", PLENTY, sha256, &n), 0);
	assert_int_equal(blobs_check(log, &n, bad), 0);
	assert_int_equal(n, 1);
	blob_path(sha256, path);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, 1), 1);
	close(fd);
	assert_int_equal(blobs_check(log, &n, bad), -EBADMSG);
	assert_string_equal(bad, sha256);
	assert_int_equal(blob_read(log, sha256, PLENTY, &bytes, &len), -EBADMSG);
	/* a link to another file is not it either */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(blobs_check(log, &n, bad), -EBADMSG);
	assert_true(blob_open(log, sha256) < 0);
	assert_int_equal(blob_open(log, "../../../etc/passwd"), -EINVAL);
	close(log);
}

static void those_of_old_entries_go(void **state)
{
	char old[DIGEST_LEN], fresh[DIGEST_LEN], path[256];
	int log = log_fd();
	uint64_t n;
	struct timespec then[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};

	assert_int_equal(keep(log, "old", PLENTY, old, &n), 0);
	assert_int_equal(keep(log, "new", PLENTY, fresh, &n), 0);
	blob_path(old, path);
	assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
	/* as long as an entry that was logged soon after may be there */
	assert_int_equal(blobs_prune(log, 1000000 * SECOND + BLOB_PRUNE_MARGIN_MS), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(blobs_prune(log, 1000001 * SECOND + BLOB_PRUNE_MARGIN_MS), 0);
	assert_int_equal(access(path, F_OK), -1);
	blob_path(fresh, path);
	assert_int_equal(access(path, F_OK), 0);
	/* named again: it is as new as that */
	assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
	assert_int_equal(keep(log, "new", PLENTY, fresh, &n), 0);
	assert_int_equal(blobs_prune(log, 1000001 * SECOND + BLOB_PRUNE_MARGIN_MS), 0);
	assert_int_equal(access(path, F_OK), 0);
	close(log);
}

/* --- with a log --- */

#define INCIDENT "0123456789abcdef-i1"

static char kept[DIGEST_LEN];

static void say_actor(struct book *b, int64_t time)
{
	say(b, "actor", time,
	    "{\"incidents\":[\"" INCIDENT
	    "\"],\"pid\":4711,\"start_time\":%lld,\"process_uid\":\"b-4711-5\",\"comm\":\"evil\",\"uid\":0,"
	    "\"ancestors\":[{\"pid\":1,\"start_time\":1000,\"comm\":\"init\",\"uid\":0,\"loginuid\":1000}],"
	    "\"login\":{\"loginuid\":1000,\"audit_session\":3},"
	    "\"capabilities\":{\"effective\":[\"chown\"],\"bounding\":[\"chown\"]},"
	    "\"environment\":{\"names\":[\"PATH\",\"LD_PRELOAD\"],\"others\":0},"
	    "\"connections\":[{\"local\":{\"ip\":\"10.0.0.1\",\"port\":5},\"remote\":{\"ip\":\"10.0.0.2\",\"port\":6},"
	    "\"state\":\"ESTABLISHED\",\"tls_version\":\"TLSv1.3\"}],"
	    "\"file\":{\"kind\":\"memfd\",\"sha256\":\"%s\",\"blob\":\"%s\"},"
	    "\"host_state\":{\"boot_id\":\"b\",\"realtime\":%lld,\"boottime\":1}}",
	    (long long)AT(9, 0, 0), kept, kept, (long long)time);
}

static void say_event(struct book *b, int64_t started, const char *process_uid)
{
	say(b, "event", AT(10, 0, 1),
	    "{\"start_time\":%lld,\"unmapped\":{\"cachewarden\":{\"incident\":\"" INCIDENT
	    "\",\"rule\":\"mem-read\",\"actor\":{\"pid\":4711,\"start_time\":%lld,\"process_uid\":\"%s\","
	    "\"comm\":\"evil\",\"uid\":0,\"ancestors\":[]}}}}",
	    (long long)AT(10, 0, 1), (long long)started, process_uid);
}

/* The clock went on by 3 ms between the event and the actor; another process had that pid 200 ms before. */
static void make_log(void)
{
	struct book b;
	uint64_t n;

	book_open(&b);
	assert_int_equal(keep(store_dir(b.store), "#!/bin/sh\nexit 1\n", PLENTY, kept, &n), 0);
	monitor_starts(&b, AT(10, 0, 0));
	say_event(&b, AT(9, 0, 0) - 200, "b-4711-4");
	say_event(&b, AT(9, 0, 0) - 3, "b-4711-5");
	say_actor(&b, AT(10, 0, 2));
	monitor_stops(&b, AT(10, 0, 3));
	book_close(&b);
}

static int verify_log(void)
{
	return command(cmd_evidence, "said", "err", "verify", log_dir, NULL);
}

static void verify_finds_one_that_was_changed_or_removed(void **state)
{
	make_log();
	assert_int_equal(verify_log(), 0);
	assert_int_equal(shell("grep -q '^executables kept: 1,' said"), 0);
	assert_int_equal(shell("echo more >>log/" BLOB_DIR "/%.2s/%s", kept, kept), 0);
	assert_int_equal(verify_log(), 1);
	assert_int_equal(shell("grep -q '%s: its digest is not its name' err", kept), 0);
	assert_int_equal(shell("rm log/" BLOB_DIR "/*/%s", kept), 0);
	assert_int_equal(verify_log(), 1);
	assert_int_equal(
		shell("grep -q 'entry [0-9]*: the executable that it names.*is missing' err"), 0);
}

static void export(void)
{
	char out[160];

	snprintf(out, sizeof(out), "%s/b.tar.zst", scratch);
	unlink(out);
	if (command(cmd_evidence, "said", "err", "export", "--incident", INCIDENT, out, log_dir,
		    NULL))
		fail_msg("cannot export: %s", scratch_read("err"));
	assert_int_equal(shell("rm -rf evidence; zstd -dqc b.tar.zst | tar xf -"), 0);
}

static void a_bundle_has_it_and_its_process(void **state)
{
	make_log();
	export();
	if (shell("python3 evidence/verify.py"))
		fail_msg("%s", scratch_read("out"));
	assert_int_equal(
		shell("test \"$(sha256sum <evidence/blob-%s | cut -c1-64)\" = %s", kept, kept), 0);
	assert_int_equal(
		shell("python3 -c '\n"
		      "import json\n"
		      "all = json.load(open(\"evidence/proctree.json\"))[\"processes\"]\n"
		      "tree = {p.get(\"process_uid\", p[\"pid\"]): p for p in all}\n"
		      "assert len(all) == 3 and set(tree) == {1, \"b-4711-4\", \"b-4711-5\"}, all\n"
		      "evil = tree[\"b-4711-5\"]\n"
		      "assert evil[\"parent\"][\"pid\"] == 1 and evil[\"audit_session\"] == 3\n"
		      "assert len(evil[\"entries\"]) == 2 and tree[1][\"loginuid\"] == 1000\n"
		      "clock = json.load(open(\"evidence/clock.json\"))\n"
		      "assert clock[\"start\"][0][\"boot_id\"] == \"b\" and clock[\"readings\"][0][\"boottime\"] == 1\n"
		      "custody = json.load(open(\"evidence/custody.json\"))\n"
		      "assert custody[\"executables\"] == {\"%s\": 17} and not custody[\"executables_missing\"]\n"
		      "assert len(custody[\"with\"][\"sha256\"]) == 64 and custody[\"asked_for\"][\"incident\"]\n'",
		      kept),
		0);
	assert_int_equal(shell("grep -q 'SHA-256 %s' evidence/report.html", kept), 0);
	assert_int_equal(
		shell("for t in 'login of uid 1000, audit session 3' 'all 1 of its bounding set' "
		      "'2 variables, LD_PRELOAD' '10.0.0.1 port 5 to 10.0.0.2 port 6, ESTABLISHED, TLSv1.3'; do "
		      "grep -q \"$t\" evidence/report.html || exit 1; done"),
		0);
}

/* Also by whoever makes a new manifest. */
static void a_bundle_shows_that_it_was_changed(void **state)
{
	static const char again[] =
		"cd evidence; sha256sum $(ls | grep -v manifest) >manifest.sha256";

	make_log();
	export();
	assert_int_equal(shell("echo x >>evidence/blob-%s; %s", kept, again), 0);
	assert_int_equal(shell("python3 evidence/verify.py"), 1);
	assert_int_equal(
		shell("python3 evidence/verify.py | grep -q 'blob-%s: its digest is not its name'",
		      kept),
		0);
	export();
	assert_int_equal(shell("rm evidence/blob-%s; %s", kept, again), 0);
	assert_int_equal(shell("python3 evidence/verify.py"), 1);
	/* together with all that custody.json has of it: the entry still names it */
	export();
	assert_int_equal(shell("rm evidence/blob-%s; sed -i /%s/d evidence/custody.json; "
			       "python3 -m json.tool evidence/custody.json >/dev/null && { %s; }",
			       kept, kept, again),
			 0);
	assert_int_equal(shell("python3 evidence/verify.py"), 1);
	assert_int_equal(shell("python3 evidence/verify.py | "
			       "grep -q 'blob-%s: is missing: entries.jsonl, line [0-9]* names it'",
			       kept),
			 0);
	export();
	assert_int_equal(
		shell("cd evidence; echo x >x; mv x blob-$(sha256sum <x | cut -c1-64); cd ..; %s",
		      again),
		0);
	assert_int_equal(shell("python3 evidence/verify.py | grep -q 'blob-.*: no entry names it'"),
			 0);
	export();
	assert_int_equal(
		shell("sed -i 's/\"pid\": 4711/\"pid\": 4712/; s/\\[$/[\\n999,/' evidence/proctree.json; %s",
		      again),
		0);
	assert_int_equal(shell("python3 evidence/verify.py"), 1);
}

static void an_export_says_what_is_not_there(void **state)
{
	make_log();
	assert_int_equal(shell("echo more >>log/" BLOB_DIR "/%.2s/%s", kept, kept), 0);
	export();
	assert_int_equal(
		shell("python3 evidence/verify.py && ! ls evidence | grep -q blob- && "
		      "grep -q 'its digest is not its name: it was changed' evidence/custody.json"),
		0);
	assert_int_equal(
		shell("python3 evidence/verify.py | grep -q 'note: blob-%s .* is not here.*: "
		      "its digest is not its name: it was changed'",
		      kept),
		0);
}

static void retention_takes_it_with_its_entries(void **state)
{
	struct book b;

	make_log();
	book_open(&b);
	for (int i = 0; i < 3000; i++)
		say(&b, "event", AT(48, 0, 0), "{\"number\":%d}", i);
	book_close(&b);
	/* its time is that of the test's clock, which may be years away from that of the entries */
	assert_int_equal(shell("touch -d @%lld log/" BLOB_DIR "/*/%s",
			       (long long)(AT(10, 0, 2) / 1000), kept),
			 0);
	assert_int_equal(
		command(cmd_evidence, "said", "err", "prune", "--before", "3", log_dir, NULL), 0);
	assert_int_equal(shell("ls log/" BLOB_DIR "/*/%s", kept), 0);
	assert_int_equal(
		command(cmd_evidence, "said", "err", "prune", "--before", "1000", log_dir, NULL),
		0);
	assert_int_not_equal(shell("ls log/" BLOB_DIR "/*/%s", kept), 0);
	assert_int_equal(verify_log(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, scratch_remove)
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_kept_is_named_by_its_digest),
		TEST(what_is_too_large_leaves_nothing),
		TEST(what_was_begun_is_removed),
		TEST(a_changed_one_is_found),
		TEST(those_of_old_entries_go),
		LOG_TEST(verify_finds_one_that_was_changed_or_removed),
		LOG_TEST(a_bundle_has_it_and_its_process),
		LOG_TEST(a_bundle_shows_that_it_was_changed),
		LOG_TEST(an_export_says_what_is_not_there),
		LOG_TEST(retention_takes_it_with_its_entries),
	};

	return cmocka_run_group_tests_name("blob", tests, NULL, NULL);
}
