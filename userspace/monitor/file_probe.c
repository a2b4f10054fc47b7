// SPDX-License-Identifier: BSD-2-Clause
/* file_probe.c - see file_probe.h. */
#include "monitor/file_probe.h"

#include "base/file_stat.h"
#include "base/proc.h"

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
	static uint32_t own;

	if (!own)
		own = proc_mnt_ns("self");
	return own;
}

/*
 * Write the prefix that turns an instance's path into one that the monitor can open. Empty in the monitor's own mount
 * namespace: following /proc/PID/root would needlessly access the process.
 */
static size_t root_of(char buf[FILE_PROBE_PATH], const struct instance *in)
{
	buf[0] = '\0';
	if (in->mnt_ns == own_mnt_ns())
		return 0;
	return (size_t)snprintf(buf, FILE_PROBE_PATH, "/proc/%u/root", in->pid);
}

bool file_probe_reachable(const struct instance *in)
{
	char root[FILE_PROBE_PATH];

	root_of(root, in);
	return !access(root[0] ? root : "/", F_OK);
}

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
		ret->identified = true;
		free(ret->handle);
		ret->handle = handle_of(fd);
		while (len < FILE_KIND_HEAD && (n = read(fd, head + len, FILE_KIND_HEAD - len)) > 0)
			len += (size_t)n;
	}
	close(fd);
	return len;
}

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

/* The id that is 0 in the user namespace of a process, from its uid_map or gid_map, which everybody may read. */
static uint32_t mapped_root(pid_t pid, const char *map)
{
	unsigned int inside, outside, count;
	uint32_t root = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, map);
	f = fopen(path, "re");
	while (f && fscanf(f, "%u %u %u", &inside, &outside, &count) == 3) {
		if (!inside)
			root = outside;
	}
	if (f)
		fclose(f);
	return root;
}

struct roots {
	uint32_t uid, gid;
};

static bool is_root(const struct roots *r, uint32_t uid)
{
	return !uid || uid == r->uid;
}

static bool others_write(const struct roots *r, uint32_t gid, uint32_t mode)
{
	return mode & S_IWOTH || (mode & S_IWGRP && gid && gid != r->gid);
}

/* In a sticky directory only its owner and the file's owner can replace the file. */
static bool is_untrusted_dir(const struct roots *r, const struct stat *st)
{
	return !is_root(r, st->st_uid) ||
	       (others_write(r, st->st_gid, st->st_mode) && !(st->st_mode & S_ISVTX));
}

unsigned int file_probe_untrusted(const struct instance *in, const char *path,
				  const struct event_file *ev)
{
	struct roots r = {mapped_root((pid_t)in->pid, "uid_map"),
			  mapped_root((pid_t)in->pid, "gid_map")};
	char where[FILE_PROBE_PATH], *slash;
	size_t root = root_of(where, in);
	struct stat st;

	if (!is_root(&r, ev->uid))
		return FINDING_CODE_OWNER;
	if (others_write(&r, ev->gid, ev->mode))
		return FINDING_CODE_MODE;
	file_probe_path(where, in, path);
	while ((slash = strrchr(where, '/')) > where + root) {
		*slash = '\0';
		if (!stat(where, &st) && is_untrusted_dir(&r, &st))
			return FINDING_CODE_PLACE;
	}
	return 0;
}

/* The file's path in dir, or up to depth levels below it. NULL if it is not there. */
static char *find_name(const struct instance *in, const struct file *file, const char *dir,
		       int depth)
{
	char where[FILE_PROBE_PATH], *path = NULL, *sub;
	struct dirent *e;
	struct stat st;
	DIR *d;

	file_probe_path(where, in, dir);
	d = opendir(where);
	while (d && !path && (e = readdir(d))) {
		if (e->d_type == DT_DIR && depth && e->d_name[0] != '.') {
			if (asprintf(&sub, "%s/%s", dir, e->d_name) < 0)
				break;
			path = find_name(in, file, sub, depth - 1);
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

bool file_probe_find_renamed(const struct instance *in, struct file *file)
{
	char *slash = strrchr(file->path, '/'), *path;

	if (!slash || slash == file->path)
		return false;
	if (!file->identified) { /* most file systems show these numbers in stat as well */
		file->dev = makedev(file->key.dev >> 20, file->key.dev & 0xfffff);
		file->ino = file->key.ino;
	}
	*slash = '\0';
	path = find_name(in, file, file->path, 1);
	*slash = '/';
	if (!path)
		return false;
	free(file->path);
	file->path = path;
	return true;
}

/*
 * Does the file exist anywhere, by its handle? open_by_handle_at() needs a descriptor on the same file system: the
 * nearest directory that still exists above the last known path.
 */
static bool exists_by_handle(const struct instance *in, const struct file *file)
{
	char where[FILE_PROBE_PATH], *slash;
	size_t root = root_of(where, in);
	int dir = -1, fd = -1;
	struct stat st;
	bool exists;

	file_probe_path(where, in, file->path);
	while (file->handle && dir < 0 && (slash = strrchr(where, '/')) && slash >= where + root) {
		slash[slash == where + root] = '\0';
		dir = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (slash == where + root)
			break;
	}
	if (dir >= 0)
		fd = open_by_handle_at(dir, file->handle, O_PATH | O_CLOEXEC);
	exists = fd >= 0 && !fstat(fd, &st) && st.st_nlink;
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	return exists;
}

bool file_probe_exists(const struct instance *in, struct file *file)
{
	char where[FILE_PROBE_PATH];
	struct stat st;

	file_probe_path(where, in, file->path);
	return (file->identified && !stat(where, &st) && st.st_ino == file->ino &&
		st.st_dev == file->dev) ||
	       file_probe_find_renamed(in, file) || exists_by_handle(in, file);
}

void file_probe_started_as(const struct instance *in, char ret[PATH_LEN])
{
	const char *slash = strrchr(in->exe, '/');
	char where[2][FILE_PROBE_PATH];
	struct stat st[2];

	ret[0] = '\0';
	if (!slash || !in->comm[0] || strchr(in->comm, '/') || !strcmp(slash + 1, in->comm) ||
	    snprintf(ret, PATH_LEN, "%.*s/%s", (int)(slash - in->exe), in->exe, in->comm) >=
		    PATH_LEN)
		return;
	file_probe_path(where[0], in, in->exe);
	file_probe_path(where[1], in, ret);
	if (stat(where[0], &st[0]) || stat(where[1], &st[1]) || !file_stat_same(&st[0], &st[1]))
		ret[0] = '\0';
}

void file_probe_release(struct file *file)
{
	free(file->path);
	free(file->handle);
}
