// SPDX-License-Identifier: BSD-2-Clause
/* inside.c - see inside.h. */
#include "validate/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define READ_MAX (4l << 20) /* certificates; those of all authorities take 200 KiB */
#define DEPTH_MAX 256	    /* of directories */

#define OWN_FD_LEN 32

static const char *own_fd(char buf[OWN_FD_LEN], int fd)
{
	snprintf(buf, OWN_FD_LEN, "/proc/self/fd/%d", fd);
	return buf;
}

int inside_root(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

int inside_find(int root, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd >= 0 ? (int)fd : -errno;
}

int inside_list(int found)
{
	char path[OWN_FD_LEN];
	int fd = open(own_fd(path, found), O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 ? fd : -errno;
}

int inside_read(int root, const char *path)
{
	int found = inside_find(root, path), fd;
	char own[OWN_FD_LEN];
	struct stat st;

	if (found < 0)
		return found;
	/* files of /proc have no size; reading some changes the host */
	if (fstat(found, &st) || !S_ISREG(st.st_mode) || !st.st_size || st.st_size > READ_MAX)
		fd = -EINVAL;
	else
		fd = open(own_fd(own, found), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		fd = -errno;
	close(found);
	return fd;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Where a descriptor lies, from root on, without symbolic links. Returns false if that is not known. */
static bool where_is(int root, int fd, char ret[PATH_MAX])
{
	char own[OWN_FD_LEN], top[PATH_MAX];
	ssize_t n = readlink(own_fd(own, fd), ret, PATH_MAX - 1);
	ssize_t len = readlink(own_fd(own, root), top, sizeof(top) - 1);

	if (n <= 0 || len <= 0)
		return false;
	ret[n] = '\0';
	if (len > 1 && n > len && !strncmp(ret, top, (size_t)len))
		memmove(ret, ret + len, (size_t)(n - len) + 1);
	return ret[0] == '/';
}

/* The directory that a file lies in. */
static int parent_of(int root, int fd, const struct stat *st)
{
	char path[PATH_MAX], *name;
	struct stat found;
	int dir;

	if (!where_is(root, fd, path))
		return -ENOENT;
	name = strrchr(path, '/');
	*name++ = '\0';
	dir = inside_find(root, path[0] ? path : "/");
	if (dir < 0 || (!fstatat(dir, name, &found, AT_SYMLINK_NOFOLLOW) && is_same(&found, st)))
		return dir;
	close(dir);
	return -ESTALE;
}

bool inside_others_pass(int root, int found)
{
	struct stat st, top;
	bool pass = true;
	int at, up;

	if (fstat(found, &st) || fstat(root, &top))
		return true;
	at = S_ISDIR(st.st_mode) ? dup(found) : parent_of(root, found, &st);
	for (int depth = 0; at >= 0 && depth < DEPTH_MAX; depth++) {
		pass = fstat(at, &st) || st.st_mode & S_IXOTH;
		up = pass && !is_same(&st, &top)
			     ? openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC)
			     : -1;
		close(at);
		at = up;
	}
	if (at >= 0)
		close(at);
	return pass;
}
