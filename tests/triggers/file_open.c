/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_open: opens a file, and reads and writes nothing.
 *
 *     file_open PATH [-m r|w|rw] [-w WAY] [-h]
 *
 * Ways: open openat openat2 opath (O_PATH, then /proc/self/fd/N) place (O_PATH
 * alone) symlink handle (open_by_handle_at) link (by
 * a second name of the same file) uring; mem opens a node of /dev/mem's number, made beside PATH.
 * -h: it holds the file until it is ended.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "uring.h"

static long by_handle(const char *path, int flags)
{
	struct {
		struct file_handle h;
		unsigned char room[MAX_HANDLE_SZ];
	} handle = {.h.handle_bytes = MAX_HANDLE_SZ};
	char dir[512], *slash;
	int mount_id, at;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (name_to_handle_at(AT_FDCWD, path, &handle.h, &mount_id, 0))
		return -1;
	return open_by_handle_at(at, &handle.h, flags);
}

static long by_uring(const char *path, int flags)
{
	int r = uring_open(path, flags, NULL);

	errno = r < 0 ? -r : 0;
	return r < 0 ? -1 : r;
}

/* By a name of its own, which goes again. */
static long by_other_name(const char *path, int flags, int (*name)(const char *, const char *))
{
	char other[600];
	long fd;
	int err;

	snprintf(other, sizeof(other), "%s.%d", path, getpid());
	if (name(path, other))
		trigger_die("%s", other);
	errno = 0;
	fd = syscall(SYS_openat, AT_FDCWD, other, flags);
	err = errno;
	unlink(other);
	errno = err;
	return fd;
}

static int link_to(const char *path, const char *other)
{
	return link(path, other);
}

static int make_mem_node(const char *path, const char *node)
{
	return mknod(node, S_IFCHR | 0600, makedev(1, 1));
}

int main(int argc, char **argv)
{
	const char *mode = "r", *way = "openat", *path;
	struct open_how how = {};
	char fd_path[64];
	long fd = -1;
	int opt, flags, err, hold = 0;

	while ((opt = getopt(argc, argv, "m:w:h")) != -1) {
		if (opt == 'm')
			mode = optarg;
		else if (opt == 'w')
			way = optarg;
		else if (opt == 'h')
			hold = 1;
		else
			return 2;
	}
	if (optind >= argc)
		return 2;
	path = argv[optind];
	flags = !strcmp(mode, "r") ? O_RDONLY : !strcmp(mode, "w") ? O_WRONLY : O_RDWR;
	errno = 0;
	if (!strcmp(way, "open")) {
		fd = syscall(SYS_open, path, flags);
	} else if (!strcmp(way, "openat2")) {
		how.flags = (unsigned)flags;
		fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	} else if (!strcmp(way, "opath")) {
		snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", open(path, O_PATH));
		fd = syscall(SYS_openat, AT_FDCWD, fd_path, flags);
	} else if (!strcmp(way, "place")) {
		fd = open(path, O_PATH);
	} else if (!strcmp(way, "symlink")) {
		fd = by_other_name(path, flags, symlink);
	} else if (!strcmp(way, "link")) {
		fd = by_other_name(path, flags, link_to);
	} else if (!strcmp(way, "mem")) {
		fd = by_other_name(path, flags, make_mem_node);
	} else if (!strcmp(way, "handle")) {
		fd = by_handle(path, flags);
	} else if (!strcmp(way, "uring")) {
		fd = by_uring(path, flags);
	} else {
		fd = syscall(SYS_openat, AT_FDCWD, path, flags);
	}
	err = fd < 0 ? errno : 0;
	trigger_report("\"tid\":%d,\"way\":\"%s\",\"result\":%ld,\"errno\":%d", getpid(), way, fd,
		       err);
	while (hold)
		pause();
	return 0;
}
