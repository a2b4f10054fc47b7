// SPDX-License-Identifier: BSD-2-Clause
/* disk.c - see disk.h. */
#include "evidence/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
	strcpy(buf, slash ? "/" : ".");
	if (len) {
		memcpy(buf, path, len);
		buf[len] = '\0';
	}
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

static int make_dir(int dir, const char *path)
{
	int err;

	if (!mkdirat(dir, path, 0700))
		return disk_sync_parent(dir, path);
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

static int write_new(int dir, const char *path, const void *data, size_t len, mode_t mode)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	int err;

	if (fd < 0)
		return -errno;
	err = disk_write(fd, data, len, 0);
	if (!err && fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

int disk_replace(int dir, const char *path, const void *data, size_t len, mode_t mode)
{
	char tmp[PATH_SIZE];
	int err = disk_make_dirs(dir, path);

	if (err)
		return err;
	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= sizeof(tmp))
		return -ENAMETOOLONG;
	err = write_new(dir, tmp, data, len, mode);
	if (!err && renameat(dir, tmp, dir, path))
		err = -errno;
	if (err) {
		unlinkat(dir, tmp, 0);
		return err;
	}
	return disk_sync_parent(dir, path);
}
