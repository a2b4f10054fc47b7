/* SPDX-License-Identifier: BSD-2-Clause */
/* evidence_log.h - evidence logs in a scratch directory: make, damage and look at them. */
#ifndef CACHEWARDEN_TEST_EVIDENCE_LOG_H
#define CACHEWARDEN_TEST_EVIDENCE_LOG_H

#include "unit.h"

#include "evidence/disk.h"
#include "evidence/entry.h"
#include "evidence/store.h"
#include "evidence/verify.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[64];  /* a directory of the test */
static char log_dir[128]; /* the log in it, not there yet */

static inline int scratch_make(void **state)
{
	/* in memory, if possible: the tests sync thousands of times */
	snprintf(scratch, sizeof(scratch), "%s/cachewarden-evidence.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(scratch))
		return -1;
	snprintf(log_dir, sizeof(log_dir), "%s/log", scratch);
	return 0;
}

static int scratch_unlink(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

static inline int scratch_remove(void **state)
{
	return nftw(scratch, scratch_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static inline struct store *log_open(struct recovery *found)
{
	char error[STORE_ERROR_LEN] = "";
	struct store *s = NULL;

	if (store_open(&s, log_dir, "host.example", found, error))
		fail_msg("cannot open the log: %s", error);
	return s;
}

static int log_append_one(void *ctx, const char *entry, size_t len)
{
	return store_append(ctx, entry, len);
}

/* An entry that says which it is. Returns what store_append() returned. */
static inline int log_append(struct store *s, uint64_t number)
{
	char record[64];
	int n = snprintf(record, sizeof(record), "{\"number\":%llu}", (unsigned long long)number);

	return entry_make("event", 1000, record, (size_t)n, log_append_one, s);
}

static inline void log_fill(struct store *s, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++) {
		assert_int_equal(log_append(s, i), 0);
		if (i % 100 == 99)
			assert_int_equal(store_commit(s), 0);
	}
	assert_int_equal(store_commit(s), 0);
}

/* A log of that many entries, the first of them the delegation, closed. */
static inline void log_make(uint64_t entries)
{
	struct recovery found;
	struct store *s = log_open(&found);

	log_fill(s, 1, entries);
	assert_int_equal(store_signed(s), entries);
	store_close(s);
}

static inline int log_verify(struct verified *v, char error[READER_ERROR_LEN])
{
	struct reader r;
	int err = verify(&r, log_dir, NULL, NULL, v);

	memcpy(error, r.error, READER_ERROR_LEN);
	reader_close(&r);
	return err;
}

static inline void assert_verifies(uint64_t size)
{
	char error[READER_ERROR_LEN];
	struct verified v;

	if (log_verify(&v, error))
		fail_msg("does not verify: %s", error);
	assert_int_equal(v.size, size);
}

static inline const char *log_path(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", log_dir, name);
	return path;
}

static inline char *log_read(const char *name, size_t *len)
{
	char *bytes;

	assert_int_equal(disk_read(AT_FDCWD, log_path(name), 64 << 20, &bytes, len), 0);
	return bytes;
}

static inline void log_write(const char *name, const char *bytes, size_t len)
{
	int fd = open(log_path(name), O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

#endif
