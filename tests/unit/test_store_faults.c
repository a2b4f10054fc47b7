/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_store_faults.c - the evidence log when its process is killed, or the disk fails, at every step. The steps are the
 * system calls below: this program's definitions take the place of the C library's.
 *
 * Whatever happens, the directory verifies, no checkpoint is smaller than one that was promised, and what was promised is
 * there.
 */
#include "evidence_log.h"

#include "base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum call { CALL_OPEN, CALL_WRITE, CALL_SYNC, CALL_RENAME, CALL_UNLINK, CALL_TRUNCATE, CALL_MKDIR };

/* What happens at which step. */
static struct {
	bool armed;
	unsigned int step, at; /* steps so far; the one that it happens at */
	bool kills;
	bool half; /* a write that is killed writes half */
	int error; /* what it fails with, unless it kills */
	uint32_t only,
		forever; /* 1 << enum call: what counts as a step; what fails from there on */
} fault;

/* Returns 0, or the error that this call is to fail with. */
static int step(enum call call)
{
	bool now;

	if (!fault.armed || (fault.only && !(fault.only >> call & 1)))
		return 0;
	now = fault.step++ == fault.at;
	if (now && fault.kills && !fault.half)
		kill(getpid(), SIGKILL);
	return (now || (fault.forever >> call & 1 && fault.step > fault.at)) ? fault.error : 0;
}

#define FAULT(call, ...)                                                                           \
	do {                                                                                       \
		int error = step(call);                                                            \
		if (error) {                                                                       \
			errno = error;                                                             \
			return -1;                                                                 \
		}                                                                                  \
	} while (0)

/*
 * What a power failure would lose now: files that were written and directories that were changed, by inode. A process that is
 * killed loses nothing, since the page cache stays.
 */
static struct {
	bool watched;
	ino_t inode[64];
	size_t count;
	char early[256]; /* what relied on one of them */
} unsynced;

static void unsynced_add(ino_t inode)
{
	for (size_t i = 0; i < unsynced.count; i++) {
		if (unsynced.inode[i] == inode)
			return;
	}
	assert_true(unsynced.count < ARRAY_SIZE(unsynced.inode));
	unsynced.inode[unsynced.count++] = inode;
}

static void unsynced_add_fd(int fd)
{
	struct stat st;

	if (unsynced.watched && !fstat(fd, &st))
		unsynced_add(st.st_ino);
}

static ino_t parent_inode(int dir, const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[512];
	struct stat st;

	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 1,
		 slash ? path : ".");
	return fstatat(dir, parent, &st, 0) ? 0 : st.st_ino;
}

static void unsynced_add_parent(int dir, const char *path)
{
	if (unsynced.watched)
		unsynced_add(parent_inode(dir, path));
}

static int unsynced_remove(int fd)
{
	struct stat st;

	for (size_t i = 0; !fstat(fd, &st) && i < unsynced.count; i++) {
		if (unsynced.inode[i] == st.st_ino)
			unsynced.inode[i--] = unsynced.inode[--unsynced.count];
	}
	return 0;
}

static void synced(ino_t inode, const char *what, const char *path)
{
	for (size_t i = 0; i < unsynced.count; i++) {
		if (unsynced.inode[i] == inode)
			snprintf(unsynced.early, sizeof(unsynced.early), "%s %s", what, path);
	}
}

/* But for the directory that this file is in. */
static void all_synced_before(const char *what, int dir, const char *path)
{
	ino_t parent = parent_inode(dir, path);

	for (size_t i = 0; i < unsynced.count; i++) {
		if (unsynced.inode[i] != parent)
			synced(unsynced.inode[i], what, path);
	}
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;
	int fd;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	if (flags & O_CREAT)
		FAULT(CALL_OPEN);
	fd = (int)syscall(SYS_openat, dir, path, flags, mode);
	if (fd >= 0 && flags & O_CREAT)
		unsynced_add_parent(dir, path);
	return fd;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
	if (fault.armed && fault.half && fault.step == fault.at) {
		syscall(SYS_pwrite64, fd, bytes, n / 2, offset);
		kill(getpid(), SIGKILL);
	}
	FAULT(CALL_WRITE);
	unsynced_add_fd(fd);
	return syscall(SYS_pwrite64, fd, bytes, n, offset);
}

int fsync(int fd)
{
	FAULT(CALL_SYNC);
	return (int)syscall(SYS_fsync, fd) ?: unsynced_remove(fd);
}

int fdatasync(int fd)
{
	FAULT(CALL_SYNC);
	return (int)syscall(SYS_fdatasync, fd) ?: unsynced_remove(fd);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	struct stat st;

	FAULT(CALL_RENAME);
	if (unsynced.watched && !fstatat(from_dir, from, &st, 0))
		synced(st.st_ino, "renamed to", to);
	if (!strcmp(to, "checkpoint"))
		all_synced_before("renamed to", to_dir, to);
	unsynced_add_parent(to_dir, to);
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int unlinkat(int dir, const char *path, int flags)
{
	FAULT(CALL_UNLINK);
	if (strstr(path, ".wal"))
		all_synced_before("removed", dir, path);
	return (int)syscall(SYS_unlinkat, dir, path, flags);
}

int ftruncate(int fd, off_t len)
{
	FAULT(CALL_TRUNCATE);
	unsynced_add_fd(fd);
	return (int)syscall(SYS_ftruncate, fd, len);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	FAULT(CALL_MKDIR);
	if (syscall(SYS_mkdirat, dir, path, mode))
		return -1;
	unsynced_add_parent(dir, path);
	return 0;
}

static void disarm(void)
{
	memset(&fault, 0, sizeof(fault));
	memset(&unsynced, 0, sizeof(unsynced));
}

/* --- killed --- */

#define BASE 250 /* entries before: the next commit fills a bundle */
#define MORE 12

/* What the child does; it tells each size that it was promised. */
static void write_log(int to)
{
	char error[STORE_ERROR_LEN];
	struct recovery found;
	struct store *s;
	uint64_t size;

	fault.armed = true;
	if (store_open(&s, log_dir, "host.example", &found, error))
		_exit(2);
	for (int round = 0; round < 3; round++) {
		size = store_signed(s);
		if (write(to, &size, sizeof(size)) != sizeof(size))
			_exit(3);
		for (uint64_t i = 0; i < MORE; i++)
			log_append(s, i);
		if (round == 1 ? store_rotate(s, 7) : store_commit(s))
			_exit(4);
	}
	if (store_finish(s))
		_exit(5);
	size = store_signed(s);
	if (write(to, &size, sizeof(size)) != sizeof(size))
		_exit(3);
	_exit(0);
}

/* Returns true if the child came to its end. *promised is the last size that it was promised. */
static bool killed_at(unsigned int at, bool half, uint64_t *promised)
{
	int pipes[2], status;
	uint64_t size;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		disarm();
		fault.at = at;
		fault.kills = true;
		fault.half = half;
		fault.only = half ? 1u << CALL_WRITE : 0;
		write_log(pipes[1]);
	}
	close(pipes[1]);
	while (read(pipes[0], &size, sizeof(size)) == sizeof(size))
		*promised = size;
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFEXITED(status);
}

static void assert_recovers(uint64_t promised, bool has_checkpoint)
{
	char error[READER_ERROR_LEN];
	struct verified before, after;
	struct recovery found;
	struct store *s;

	if (has_checkpoint) { /* before anybody repairs anything */
		if (log_verify(&before, error))
			fail_msg("does not verify when it was killed: %s", error);
		assert_true(before.size >= promised);
	}
	s = log_open(&found);
	assert_true(store_signed(s) > promised);
	assert_int_equal(log_append(s, 1), 0);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
	if (log_verify(&after, error))
		fail_msg("does not verify when it was opened again: %s", error);
	if (has_checkpoint)
		assert_true(after.size >= before.size + 2);
}

static void killed_at_every_step(bool half, uint64_t base)
{
	unsigned int at = 0;

	for (bool ended = false; !ended; at++) {
		uint64_t promised = base;

		scratch_make(NULL);
		if (base)
			log_make(base);
		ended = killed_at(at, half, &promised);
		assert_recovers(promised, base > 0);
		scratch_remove(NULL);
	}
	assert_true(at > (half ? 10 : 40)); /* there were that many steps */
}

static void killed_at_every_step_of_a_commit(void **state)
{
	killed_at_every_step(false, BASE);
}

static void killed_in_the_middle_of_every_write(void **state)
{
	killed_at_every_step(true, BASE);
}

static void killed_at_every_step_of_the_first_start(void **state)
{
	killed_at_every_step(false, 0);
}

/* Until there is a checkpoint; then killed again, likewise, so that the log has two delegations that nobody signed for. */
static void killed_twice_in_the_first_start(void **state)
{
	unsigned int both = 0; /* kills that left nothing signed */
	uint64_t once = 0;

	for (unsigned int first = 0; !once; first++) {
		uint64_t twice = 0;

		for (unsigned int second = 0; !twice; second++) {
			once = 0;
			scratch_make(NULL);
			killed_at(first, false, &once);
			killed_at(second, false, &twice);
			both += !twice;
			assert_recovers(twice, false);
			scratch_remove(NULL);
		}
	}
	assert_true(both > 200);
}

/* Where a segment of the write-ahead log ends, and the one before it goes. */
static void killed_where_a_segment_ends(void **state)
{
	killed_at_every_step(false, 1020);
}

/* --- the disk fails --- */

/* One step fails: either nobody was promised anything, or it is there; the next commit has all of it. */
static void every_step_can_fail_once(void **state)
{
	static const int errors[] = {EIO, ENOSPC};
	unsigned int at, failed = 0;

	for (size_t e = 0; e < ARRAY_SIZE(errors); e++) {
		for (at = 0; at < 60; at++) {
			struct recovery found;
			struct store *s;
			uint64_t size;
			int err;

			scratch_make(NULL);
			log_make(BASE);
			s = log_open(&found);
			size = store_signed(s);
			for (uint64_t i = 0; i < MORE; i++)
				assert_int_equal(log_append(s, i), 0);
			disarm();
			fault.armed = true;
			fault.at = at;
			fault.error = errors[e];
			err = store_commit(s);
			fault.armed = false;
			failed += err != 0;
			assert_true(!err || err == -errors[e]);
			assert_int_equal(store_signed(s), err ? size : size + MORE);
			if (!err)
				assert_verifies(size + MORE);
			/* a sync may have failed after the checkpoint was renamed: it claims what is there */
			assert_int_equal(store_commit(s), 0);
			assert_verifies(size + MORE);
			store_close(s);
			scratch_remove(NULL);
		}
	}
	assert_true(failed > 20);
}

/* As long as syncing fails nothing is signed; what waits is kept, and is there when the disk is. */
static void no_checkpoint_claims_what_was_not_synced(void **state)
{
	struct recovery found;
	struct store *s;
	char *before, *after;
	size_t len, after_len;

	scratch_make(NULL);
	log_make(BASE);
	s = log_open(&found);
	before = log_read("checkpoint", &len);
	disarm();
	fault.armed = true;
	fault.error = EIO;
	fault.forever = fault.only = 1u << CALL_SYNC;
	for (uint64_t i = 0; i < 20; i++) {
		assert_int_equal(log_append(s, i), 0);
		assert_int_equal(store_commit(s), -EIO);
		after = log_read("checkpoint", &after_len);
		assert_int_equal(len, after_len);
		assert_memory_equal(before, after, len);
		free(after);
	}
	disarm();
	assert_int_equal(store_pending(s), 20);
	assert_int_equal(store_commit(s), 0);
	assert_verifies(BASE + 1 + 20);
	store_close(s);
	free(before);
	scratch_remove(NULL);
}

static void directory_that_was_not_synced_is_made_again(void **state)
{
	char path[160];

	scratch_make(NULL);
	snprintf(path, sizeof(path), "%s/a/b", scratch);
	disarm();
	fault.armed = true;
	fault.only = 1u << CALL_SYNC;
	fault.error = EIO;
	assert_int_equal(disk_make_dirs(AT_FDCWD, path), -EIO);
	assert_int_equal(fault.step, 1);
	assert_int_equal(disk_make_dirs(AT_FDCWD, path), 0);
	assert_int_equal(fault.step, 2); /* it was synced */
	assert_int_equal(disk_make_dirs(AT_FDCWD, path), 0);
	assert_int_equal(fault.step, 2);
	disarm();
	scratch_remove(NULL);
}

/* A real limit of the kernel, instead of a fault of ours. */
static void full_disk(void **state)
{
	struct rlimit was, limit;
	struct recovery found;
	struct store *s;
	uint64_t size;

	scratch_make(NULL);
	s = log_open(&found);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	limit = (struct rlimit){.rlim_cur = 2000, .rlim_max = was.rlim_max};
	log_fill(s, 1, 5);
	size = store_signed(s);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (uint64_t i = 5; i < 100; i++)
		assert_int_equal(log_append(s, i), 0);
	assert_int_equal(store_commit(s), -EFBIG);
	assert_int_equal(store_commit(s), -EFBIG);
	assert_verifies(size);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(store_commit(s), 0);
	assert_verifies(100);
	store_close(s);
	s = log_open(&found);
	assert_int_equal(found.replayed, 0);
	store_close(s);
	scratch_remove(NULL);
}

static void assert_synced(void)
{
	if (unsynced.early[0])
		fail_msg("too early: %s", unsynced.early);
	assert_int_equal(unsynced.count, 0);
}

/* Files before they are renamed, tiles before the checkpoint that covers them and before the log they were in goes. */
static void everything_is_synced_before_it_is_relied_on(void **state)
{
	struct recovery found;
	struct store *s;

	scratch_make(NULL);
	disarm();
	unsynced.watched = true;
	s = log_open(&found);
	assert_synced();
	for (uint64_t i = 1; i < 2500; i++) { /* several segments and bundles */
		assert_int_equal(log_append(s, i), 0);
		if (i % 90)
			continue;
		assert_int_equal(store_commit(s), 0);
		assert_synced();
	}
	assert_int_equal(store_rotate(s, 1000), 0);
	assert_synced();
	assert_int_equal(store_finish(s), 0);
	assert_synced();
	store_close(s);
	s = log_open(&found);
	assert_synced();
	store_close(s);
	disarm();
	scratch_remove(NULL);
}

static void read_only_directory_is_said(void **state)
{
	char error[STORE_ERROR_LEN];
	struct recovery found;
	struct store *s;

	scratch_make(NULL);
	log_make(3);
	disarm();
	fault.armed = true;
	fault.error = EROFS;
	fault.forever = ~0u;
	assert_int_equal(store_open(&s, log_dir, "h", &found, error), -EROFS);
	disarm();
	assert_string_equal(error, "cannot write to it: Read-only file system");
	assert_verifies(3);
	scratch_remove(NULL);
}

/* --- large --- */

static void many_entries_verify_in_bounded_memory(void **state)
{
	char error[READER_ERROR_LEN], *tile;
	struct recovery found;
	struct verified v;
	struct store *s;
	struct rusage usage;
	size_t len;
	int status;
	pid_t pid;

	scratch_make(NULL);
	s = log_open(&found);
	for (uint64_t i = 1; i < 100000; i++) {
		assert_int_equal(log_append(s, i), 0);
		if (!(i % 4000))
			assert_int_equal(store_commit(s), 0);
	}
	assert_int_equal(store_commit(s), 0);
	store_close(s);
	pid = fork();
	if (!pid)
		_exit(log_verify(&v, error) || v.size != 100000);
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_int_equal(status, 0);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed */
	assert_true(usage.ru_maxrss < 64 << 10);
#endif
	/* there is a full tile of the second level: it is checked, too */
	tile = log_read("tile/1/000", &len);
	tile[3 * TREE_HASH_LEN + 5] ^= 1;
	log_write("tile/1/000", tile, len);
	assert_int_equal(log_verify(&v, error), -EBADMSG);
	assert_string_equal(
		error, "entries 768 to 1023: their hash is not the one in tile/1/000, byte 96");
	free(tile);
	scratch_remove(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_every_step_of_a_commit),
		cmocka_unit_test(killed_in_the_middle_of_every_write),
		cmocka_unit_test(killed_at_every_step_of_the_first_start),
		cmocka_unit_test(killed_twice_in_the_first_start),
		cmocka_unit_test(killed_where_a_segment_ends),
		cmocka_unit_test(every_step_can_fail_once),
		cmocka_unit_test(no_checkpoint_claims_what_was_not_synced),
		cmocka_unit_test(directory_that_was_not_synced_is_made_again),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(everything_is_synced_before_it_is_relied_on),
		cmocka_unit_test(read_only_directory_is_said),
		cmocka_unit_test(many_entries_verify_in_bounded_memory),
	};

	return cmocka_run_group_tests_name("store faults", tests, NULL, NULL);
}
