// SPDX-License-Identifier: BSD-2-Clause
/* wal.c - see wal.h. */
#include "evidence/wal.h"

#include "evidence/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void wal_path(uint64_t segment, char buf[WAL_PATH_LEN])
{
	snprintf(buf, WAL_PATH_LEN, "wal/%08" PRIu64 ".wal", segment);
}

/* What is behind that size was never signed. */
static int cut(int fd, off_t size)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size == size)
		return 0;
	return ftruncate(fd, size) || fsync(fd) ? -errno : 0;
}

int wal_open(struct wal *w, int dir, uint64_t segment, uint64_t size)
{
	char path[WAL_PATH_LEN];
	int err, fd;

	wal_path(segment, path);
	err = disk_make_dirs(dir, path);
	if (err)
		return err;
	fd = openat(dir, path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = cut(fd, (off_t)size) ?: disk_sync_parent(dir, path);
	if (err) {
		close(fd);
		return err;
	}
	*w = (struct wal){.dir = dir, .fd = fd, .segment = segment, .size = size};
	return 0;
}

void wal_close(struct wal *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

static int switch_to(struct wal *w, uint64_t segment)
{
	struct wal next;
	int err = wal_open(&next, w->dir, segment, 0);

	if (err)
		return err;
	wal_close(w);
	*w = next;
	return 0;
}

int wal_append(struct wal *w, uint64_t segment, const void *records, size_t len)
{
	int err = segment == w->segment ? 0 : switch_to(w, segment);

	err = err ?: disk_write(w->fd, records, len, (off_t)w->size);
	if (!err && fdatasync(w->fd))
		err = -errno;
	/*
	 * After a failure the size stays: the caller comes again with these records and more, which are written over what
	 * is there. Pages of a failed sync may be clean without being on the disk, so syncing again is not enough.
	 */
	if (!err)
		w->size += len;
	return err;
}

bool wal_in_place(const struct wal *w)
{
	char path[WAL_PATH_LEN];
	struct stat there, here;

	wal_path(w->segment, path);
	return !fstatat(w->dir, path, &there, AT_SYMLINK_NOFOLLOW) && !fstat(w->fd, &here) &&
	       there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

uint64_t wal_remove(int dir, uint64_t first, uint64_t below)
{
	char path[WAL_PATH_LEN];

	for (; first < below; first++) {
		wal_path(first, path);
		if (unlinkat(dir, path, 0) && errno != ENOENT)
			break;
	}
	return first;
}
