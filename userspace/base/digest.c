// SPDX-License-Identifier: BSD-2-Clause
/* digest.c - see digest.h. */
#include "base/digest.h"

#include "base/file_stat.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Larger executables get no digest: reading one blocks the monitor. */
#define FILE_LEN_MAX (256ll << 20)
#define CACHE_SIZE 32

static struct entry {
	struct stat st;
	char hex[DIGEST_LEN];
} cache[CACHE_SIZE];
static unsigned int next_entry;

static bool same_contents(const struct stat *a, const struct stat *b)
{
	return file_stat_same(a, b) && file_stat_unchanged(a, b);
}

static int hash(int fd, char hex[DIGEST_LEN])
{
	unsigned char buf[65536], sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned int len = 0;
	int64_t all = 0;
	ssize_t n = -1;
	int err = -ENOMEM;

	if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL)) {
		while (all <= FILE_LEN_MAX && (n = read(fd, buf, sizeof(buf))) > 0) {
			EVP_DigestUpdate(ctx, buf, (size_t)n);
			all += n;
		}
		err = n < 0 ? -errno : n ? -EFBIG : 0; /* it grows */
	}
	if (!err && (!EVP_DigestFinal_ex(ctx, sum, &len) || len * 2 + 1 != DIGEST_LEN))
		err = -EIO;
	for (size_t i = 0; !err && i < len; i++)
		snprintf(hex + i * 2, 3, "%02x", sum[i]);
	EVP_MD_CTX_free(ctx);
	return err;
}

static int hash_cached(int fd, char hex[DIGEST_LEN])
{
	struct stat before, after;
	int err;

	if (fstat(fd, &before))
		return -errno;
	if (!S_ISREG(before.st_mode) || before.st_size > FILE_LEN_MAX)
		return -EFBIG;
	for (unsigned int i = 0; i < CACHE_SIZE; i++) {
		if (cache[i].hex[0] && same_contents(&cache[i].st, &before)) {
			memcpy(hex, cache[i].hex, DIGEST_LEN);
			return 0;
		}
	}
	err = hash(fd, hex);
	if (!err && (fstat(fd, &after) || !same_contents(&before, &after)))
		err = -ESTALE; /* written while it was read */
	if (err)
		return err;
	cache[next_entry].st = before;
	memcpy(cache[next_entry].hex, hex, DIGEST_LEN);
	next_entry = (next_entry + 1) % CACHE_SIZE;
	return 0;
}

int digest_fd(int fd, char buf[DIGEST_LEN])
{
	struct stat st;
	int err = -EFBIG;

	if (fstat(fd, &st) || lseek(fd, 0, SEEK_SET))
		err = -errno;
	else if (st.st_size <= FILE_LEN_MAX)
		err = hash(fd, buf);
	if (err)
		buf[0] = '\0';
	return err;
}

int digest_exe(pid_t pid, uint64_t start_ns, const char *path, uint64_t ino, char buf[DIGEST_LEN])
{
	char link[64], now[4096];
	struct stat st;
	int fd, err;

	buf[0] = '\0';
	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	fd = open(link, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && proc_exe(pid, start_ns, now, sizeof(now))) { /* the pid was reused */
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : st.st_ino != ino ? -ESTALE : hash_cached(fd, buf);
	close(fd);
	if (err)
		buf[0] = '\0';
	return err;
}
