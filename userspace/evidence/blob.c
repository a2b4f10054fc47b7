// SPDX-License-Identifier: BSD-2-Clause
/*
 * blob.c - see blob.h. A blob is written under another name, synced and renamed, so that what has the name of a digest is whole. Its time
 * is when it was kept last: an entry that names it is logged soon after.
 */
#include "evidence/blob.h"

#include "evidence/chain.h"
#include "evidence/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BEGUN "begun-" /* and a number */
#define NS_PER_MS 1000000

static void path_of(const char *sha256, char buf[DISK_PATH_LEN])
{
	snprintf(buf, DISK_PATH_LEN, BLOB_DIR "/%.2s/%.64s", sha256, sha256);
}

static bool is_digest(const char *name)
{
	return strlen(name) == DIGEST_LEN - 1 && strspn(name, "0123456789abcdef") == DIGEST_LEN - 1;
}

/* --- all of them --- */

struct walk {
	int log;
	int (*fn)(struct walk *w, int dir, const char *name);
	uint64_t bytes, count;
	int64_t before_ms;
	char *bad;
};

static DIR *open_dir(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

static int walk_dir(struct walk *w, int at, const char *name)
{
	DIR *d = open_dir(at, name);
	const struct dirent *e;
	int err = 0;

	while (d && !err && (e = readdir(d))) {
		if (is_digest(e->d_name) && !strncmp(e->d_name, name, 2))
			err = w->fn(w, dirfd(d), e->d_name);
	}
	if (d)
		closedir(d);
	return err;
}

/* Stops at the first error. What is not named as a blob is left alone. */
static int walk(struct walk *w)
{
	DIR *d = open_dir(w->log, BLOB_DIR);
	const struct dirent *e;
	int err = 0;

	while (d && !err && (e = readdir(d))) {
		if (strlen(e->d_name) == 2 && e->d_name[0] != '.')
			err = walk_dir(w, dirfd(d), e->d_name);
	}
	if (d)
		closedir(d);
	return err;
}

static int add_size(struct walk *w, int dir, const char *name)
{
	struct stat st;

	if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		w->bytes += (uint64_t)st.st_size;
	return 0;
}

uint64_t blobs_size(int log)
{
	struct walk w = {.log = log, .fn = add_size};

	walk(&w);
	return w.bytes;
}

void blobs_clean(int log)
{
	DIR *d = open_dir(log, BLOB_DIR);
	const struct dirent *e;

	while (d && (e = readdir(d))) {
		if (!strncmp(e->d_name, BEGUN, strlen(BEGUN)))
			unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		closedir(d);
}

/* --- one --- */

struct copy {
	int from, to; /* to: -1, only the digest is wanted */
	const bool *abandoned;
	char begun[DISK_PATH_LEN]; /* its name until it is whole */
	uint64_t most, bytes;
	char sha256[DIGEST_LEN];
};

static bool is_abandoned(const struct copy *c)
{
	return c->abandoned && __atomic_load_n(c->abandoned, __ATOMIC_SEQ_CST);
}

static int copy_some(struct copy *c, EVP_MD_CTX *md, char *buf, size_t size)
{
	ssize_t n = pread(c->from, buf, size, (off_t)c->bytes);

	if (is_abandoned(c))
		return -ECANCELED;
	if (n <= 0)
		return n ? -errno : 1;
	if ((uint64_t)n > c->most - c->bytes)
		return -EFBIG;
	if (!EVP_DigestUpdate(md, buf, (size_t)n))
		return -EIO;
	if (c->to >= 0) {
		int err = disk_write(c->to, buf, (size_t)n, (off_t)c->bytes);

		if (err)
			return err;
	}
	c->bytes += (uint64_t)n;
	return 0;
}

static int copy(struct copy *c)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned int len = 0;
	char buf[65536];
	int err = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) ? 0 : -ENOMEM;

	while (!err)
		err = copy_some(c, md, buf, sizeof(buf));
	if (err == 1)
		err = EVP_DigestFinal_ex(md, sum, &len) ? 0 : -EIO;
	for (unsigned int i = 0; !err && i < len; i++)
		snprintf(c->sha256 + 2 * (size_t)i, 3, "%02x", sum[i]);
	EVP_MD_CTX_free(md);
	return err;
}

/* It is named again: it has to stay as long as what names it now. */
static bool touch(int log, const char *path)
{
	return !utimensat(log, path, NULL, AT_SYMLINK_NOFOLLOW);
}

static int put_in_place(int log, const char *begun, const char *path)
{
	int err = disk_make_dirs(log, path);

	if (!err && renameat(log, begun, log, path))
		err = -errno;
	return err ?: disk_sync_parent(log, path);
}

static int keep(struct copy *c, int log, uint64_t *ret_new)
{
	char path[DISK_PATH_LEN];
	int err = copy(c);

	if (!err && fsync(c->to))
		err = -errno;
	if (!err && is_abandoned(c))
		err = -ECANCELED;
	if (err)
		return err;
	path_of(c->sha256, path);
	if (touch(log, path)) {
		unlinkat(log, c->begun, 0);
		return 0;
	}
	err = put_in_place(log, c->begun, path);
	*ret_new = err ? 0 : c->bytes;
	return err;
}

int blob_keep(int log, int fd, uint64_t most, const bool *abandoned, char sha256[DIGEST_LEN],
	      uint64_t *ret_new)
{
	static unsigned int number;
	struct copy c = {.from = fd, .most = most, .abandoned = abandoned};
	int err;

	snprintf(c.begun, sizeof(c.begun), BLOB_DIR "/" BEGUN "%u",
		 __atomic_fetch_add(&number, 1, __ATOMIC_RELAXED));
	err = disk_make_dirs(log, c.begun);
	sha256[0] = '\0';
	*ret_new = 0;
	if (err)
		return err;
	c.to = openat(log, c.begun, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (c.to < 0)
		return -errno;
	err = keep(&c, log, ret_new);
	close(c.to);
	if (err)
		unlinkat(log, c.begun, 0);
	else
		memcpy(sha256, c.sha256, DIGEST_LEN);
	return err;
}

int blob_open(int log, const char *sha256)
{
	char path[DISK_PATH_LEN];
	int fd;

	if (!is_digest(sha256))
		return -EINVAL;
	path_of(sha256, path);
	fd = openat(log, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int blob_read(int log, const char *sha256, uint64_t most, char **ret, size_t *ret_len)
{
	char path[DISK_PATH_LEN], digest[DIGEST_LEN] = "";
	int err;

	if (!is_digest(sha256))
		return -EINVAL;
	path_of(sha256, path);
	err = disk_read(log, path, most, ret, ret_len);
	if (err)
		return err;
	chain_digest(*ret, *ret_len, digest);
	if (!strcmp(digest, sha256))
		return 0;
	free(*ret);
	*ret = NULL;
	return -EBADMSG;
}

static int check(struct walk *w, int dir, const char *name)
{
	struct copy c = {.to = -1, .most = INT64_MAX};
	int err;

	c.from = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	err = c.from < 0 ? -EBADMSG : copy(&c);
	if (c.from >= 0)
		close(c.from);
	w->count++;
	if (!err && !strcmp(c.sha256, name))
		return 0;
	snprintf(w->bad, DIGEST_LEN, "%s", name);
	return err ?: -EBADMSG;
}

int blobs_check(int log, uint64_t *ret_count, char bad[DIGEST_LEN])
{
	struct walk w = {.log = log, .fn = check, .bad = bad};
	int err = walk(&w);

	bad[err ? DIGEST_LEN - 1 : 0] = '\0';
	*ret_count = w.count;
	return err;
}

static int prune(struct walk *w, int dir, const char *name)
{
	struct stat st;
	int64_t kept_ms;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	kept_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / NS_PER_MS;
	if (kept_ms >= w->before_ms)
		return 0;
	return unlinkat(dir, name, 0) && errno != ENOENT ? -errno : 0;
}

int blobs_prune(int log, int64_t first_ms)
{
	struct walk w = {.log = log, .fn = prune, .before_ms = first_ms - BLOB_PRUNE_MARGIN_MS};

	return walk(&w);
}
