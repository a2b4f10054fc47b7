// SPDX-License-Identifier: BSD-2-Clause
/* disk.c - see disk.h. */
#include "evidence/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* NAME_MAX is the limit of one name; the log's own paths are far shorter. */
#define PATH_SIZE 512

static int read_all(int fd, size_t max, char **ret, size_t *ret_len)
{
	size_t len = 0, room;
	struct stat st;
	char *bytes;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((size_t)st.st_size > max)
		return -EFBIG;
	room = (size_t)st.st_size;
	bytes = malloc(room + 1);
	if (!bytes)
		return -ENOMEM;
	while (len < room) { /* it may have become shorter */
		ssize_t n = pread(fd, bytes + len, room - len, (off_t)len);

		if (n < 0) {
			int err = -errno;

			free(bytes);
			return err;
		}
		if (!n)
			break;
		len += (size_t)n;
	}
	bytes[len] = '\0';
	*ret = bytes;
	*ret_len = len;
	return 0;
}

int disk_read(int dir, const char *path, size_t max, char **ret, size_t *ret_len)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), err;

	if (fd < 0)
		return -errno;
	err = read_all(fd, max, ret, ret_len);
	close(fd);
	return err;
}

int disk_write(int fd, const void *data, size_t len, off_t offset)
{
	const char *bytes = data;

	while (len) {
		ssize_t n = pwrite(fd, bytes, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		bytes += n;
		offset += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The directory that a path is in. */
static int parent_of(const char *path, char buf[PATH_SIZE])
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (len >= PATH_SIZE)
		return -ENAMETOOLONG;
	if (len)
		snprintf(buf, PATH_SIZE, "%.*s", (int)len, path);
	else
		snprintf(buf, PATH_SIZE, "%s", slash ? "/" : ".");
	return 0;
}

int disk_sync_parent(int dir, const char *path)
{
	char parent[PATH_SIZE];
	int err = parent_of(path, parent), fd;

	if (err)
		return err;
	fd = openat(dir, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

/* A directory that may not be on the disk goes again: the next attempt would find it, and not sync. */
static int make_dir(int dir, const char *path)
{
	int err;

	if (!mkdirat(dir, path, 0700)) {
		err = disk_sync_parent(dir, path);
		if (err)
			unlinkat(dir, path, AT_REMOVEDIR);
		return err;
	}
	err = -errno;
	return err == -EEXIST || !faccessat(dir, path, F_OK, 0) ? 0 : err;
}

int disk_make_dirs(int dir, const char *path)
{
	char part[PATH_SIZE];
	int err = 0;

	for (const char *slash = strchr(path, '/'); slash && !err; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - path);

		if (len >= sizeof(part))
			return -ENAMETOOLONG;
		memcpy(part, path, len);
		part[len] = '\0';
		if (len)
			err = make_dir(dir, part);
	}
	return err;
}

/* --- replacing --- */

static void tmp_of(const char *path, char buf[DISK_PATH_LEN])
{
	snprintf(buf, DISK_PATH_LEN, "%s.tmp", path);
}

static int open_tmp(int dir, const char *tmp, mode_t mode)
{
	int fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);

	return fd < 0 ? -errno : fd;
}

int disk_batch_add(struct disk_batch *b, const char *path, const void *data, size_t len,
		   mode_t mode)
{
	char tmp[DISK_PATH_LEN];
	int fd;

	if (b->count == DISK_BATCH_MAX || strlen(path) + sizeof(".tmp") > DISK_PATH_LEN)
		return -E2BIG;
	tmp_of(path, tmp);
	fd = open_tmp(b->dir, tmp, mode);
	if (fd == -ENOENT)
		fd = disk_make_dirs(b->dir, path) ?: open_tmp(b->dir, tmp, mode);
	if (fd < 0)
		return fd;
	b->file[b->count].fd = fd;
	snprintf(b->file[b->count++].path, DISK_PATH_LEN, "%s", path);
	return disk_write(fd, data, len, 0);
}

static void close_files(struct disk_batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		close(b->file[i].fd);
	b->count = 0;
}

/* Closes and removes what was not renamed. */
void disk_batch_drop(struct disk_batch *b)
{
	char tmp[DISK_PATH_LEN];

	for (size_t i = 0; i < b->count; i++) {
		tmp_of(b->file[i].path, tmp);
		unlinkat(b->dir, tmp, 0);
	}
	close_files(b);
}

/* All begin to be written before one is waited for: else each waits for the disk, and its journal, by itself. */
static int sync_files(const struct disk_batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		sync_file_range(b->file[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	for (size_t i = 0; i < b->count; i++) {
		if (fsync(b->file[i].fd))
			return -errno;
	}
	return 0;
}

static int rename_files(const struct disk_batch *b)
{
	char tmp[DISK_PATH_LEN];

	for (size_t i = 0; i < b->count; i++) {
		tmp_of(b->file[i].path, tmp);
		if (renameat(b->dir, tmp, b->dir, b->file[i].path))
			return -errno;
	}
	return 0;
}

static bool same_parent(const char *a, const char *b)
{
	const char *slash = strrchr(a, '/');
	size_t len = slash ? (size_t)(slash - a) + 1 : 0;

	return !strncmp(a, b, len) && !strchr(b + len, '/');
}

/* Each directory once: when its last file of the batch comes. */
static int sync_parents(const struct disk_batch *b)
{
	int err = 0;

	for (size_t i = 0; i < b->count && !err; i++) {
		bool last = true;

		for (size_t k = i + 1; k < b->count && last; k++)
			last = !same_parent(b->file[i].path, b->file[k].path);
		if (last)
			err = disk_sync_parent(b->dir, b->file[i].path);
	}
	return err;
}

int disk_batch_commit(struct disk_batch *b)
{
	int err = sync_files(b) ?: rename_files(b);

	if (err) {
		disk_batch_drop(b);
		return err;
	}
	err = sync_parents(b);
	close_files(b);
	return err;
}

int disk_replace(int dir, const char *path, const void *data, size_t len, mode_t mode)
{
	struct disk_batch b = {.dir = dir};
	int err = disk_batch_add(&b, path, data, len, mode);

	if (!err)
		return disk_batch_commit(&b);
	disk_batch_drop(&b);
	return err;
}
