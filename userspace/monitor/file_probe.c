// SPDX-License-Identifier: BSD-2-Clause
/* file_probe.c - see file_probe.h. */
#include "monitor/file_probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static uint32_t own_mnt_ns(void)
{
	static struct stat st;

	if (!st.st_ino && stat("/proc/self/ns/mnt", &st))
		return 0;
	return (uint32_t)st.st_ino;
}

/*
 * What leads from the monitor's view to the instance's: its root, where it lives in a mount namespace of its own;
 * else nothing, and nobody is looked into.
 */
static size_t root_of(char buf[FILE_PROBE_PATH], const struct instance *in)
{
	buf[0] = '\0';
	if (in->mnt_ns == own_mnt_ns())
		return 0;
	return (size_t)snprintf(buf, FILE_PROBE_PATH, "/proc/%u/root", in->pid);
}

/* An instance's path as the monitor reaches it. */
void file_probe_path(char buf[FILE_PROBE_PATH], const struct instance *in, const char *path)
{
	size_t used = root_of(buf, in);

	snprintf(buf + used, FILE_PROBE_PATH - used, "%s", path);
}

static struct file_handle *handle_of(int fd)
{
	struct file_handle *h = calloc(1, sizeof(*h) + MAX_HANDLE_SZ);
	int mount;

	if (h)
		h->handle_bytes = MAX_HANDLE_SZ;
	if (h && name_to_handle_at(fd, "", h, &mount, AT_EMPTY_PATH)) {
		free(h);
		h = NULL;
	}
	return h;
}

/* First bytes into head, and where stat says it is. Returns their number, 0 where it cannot be read. */
size_t file_probe_read(char head[FILE_KIND_HEAD], const char *where, struct file *ret)
{
	int fd = open(where, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		ret->dev = st.st_dev;
		ret->ino = st.st_ino;
		ret->placed = true;
		free(ret->handle);
		ret->handle = handle_of(fd);
		while (len < FILE_KIND_HEAD && (n = read(fd, head + len, FILE_KIND_HEAD - len)) > 0)
			len += (size_t)n;
	}
	close(fd);
	return len;
}

/* May others than owner and group read it? A directory they may not enter keeps them out. */
bool file_probe_exposed(const struct instance *in, const char *path)
{
	char where[FILE_PROBE_PATH], *slash;
	size_t root = root_of(where, in);
	struct stat st;

	file_probe_path(where, in, path);
	if (stat(where, &st) || !(st.st_mode & S_IROTH))
		return false;
	while ((slash = strrchr(where, '/')) > where + root) {
		*slash = '\0';
		if (stat(where, &st) || !(st.st_mode & S_IXOTH))
			return false;
	}
	return true;
}

/* The path of a file in a directory, or one level below it; NULL if it is not there. */
static char *name_in(const struct instance *in, const struct file *file, const char *dir, int below)
{
	char where[FILE_PROBE_PATH], *path = NULL, *sub;
	struct dirent *e;
	struct stat st;
	DIR *d;

	file_probe_path(where, in, dir);
	d = opendir(where);
	while (d && !path && (e = readdir(d))) {
		if (e->d_type == DT_DIR && below && e->d_name[0] != '.') {
			if (asprintf(&sub, "%s/%s", dir, e->d_name) < 0)
				break;
			path = name_in(in, file, sub, 0);
			free(sub);
		} else if (e->d_ino == file->ino && !fstatat(dirfd(d), e->d_name, &st, 0) &&
			   st.st_dev == file->dev && asprintf(&path, "%s/%s", dir, e->d_name) < 0) {
			path = NULL;
			break;
		}
	}
	if (d)
		closedir(d);
	return path;
}

/* It was renamed: dumps are written under another name, an AOF in another directory. */
bool file_probe_rename(const struct instance *in, struct file *file)
{
	char *slash = strrchr(file->path, '/'), *path;

	if (!slash || slash == file->path)
		return false;
	if (!file->placed) { /* as most file systems have it */
		file->dev = makedev(file->key.dev >> 20, file->key.dev & 0xfffff);
		file->ino = file->key.ino;
	}
	*slash = '\0';
	path = name_in(in, file, file->path, 1);
	*slash = '/';
	if (!path)
		return false;
	free(file->path);
	file->path = path;
	return true;
}

/* It has left the places where its name is looked for. Some directory of its file system is needed to ask by. */
static bool follow_handle(const struct instance *in, const struct file *file)
{
	char where[FILE_PROBE_PATH], *slash;
	size_t root = root_of(where, in);
	int dir = -1, fd = -1;
	struct stat st;
	bool there;

	file_probe_path(where, in, file->path);
	while (file->handle && dir < 0 && (slash = strrchr(where, '/')) && slash >= where + root) {
		slash[slash == where + root] = '\0';
		dir = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (slash == where + root)
			break;
	}
	if (dir >= 0)
		fd = open_by_handle_at(dir, file->handle, O_PATH | O_CLOEXEC);
	there = fd >= 0 && !fstat(fd, &st) && st.st_nlink;
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	return there;
}

bool file_probe_exists(const struct instance *in, struct file *file)
{
	char where[FILE_PROBE_PATH];
	struct stat st;

	file_probe_path(where, in, file->path);
	return (file->placed && !stat(where, &st) && st.st_ino == file->ino &&
		st.st_dev == file->dev) ||
	       file_probe_rename(in, file) || follow_handle(in, file);
}

void file_probe_release(struct file *file)
{
	free(file->path);
	free(file->handle);
}
