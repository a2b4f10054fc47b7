/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc_open: opens /proc/PID/FILE and reads nothing from it.
 *
 *     proc_open PID FILE [-m r|w|rw] [-w WAY] [-t TID]
 *
 * Ways: open openat openat2 creat; by another name of the same file: dirfd (openat below an opened
 * /proc/PID), cwd, task (below task/TID), mount (a procfs mounted in a private namespace), opath
 * (O_PATH, then /proc/self/fd/N), symlink, handle (open_by_handle_at). -t with any other way:
 * /proc/TID/FILE.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>

#include "trigger.h"

static long open_by_handle(const char *path, int flags)
{
	struct {
		struct file_handle h;
		unsigned char room[MAX_HANDLE_SZ];
	} handle = {.h.handle_bytes = MAX_HANDLE_SZ};
	int mount_id, root = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (name_to_handle_at(AT_FDCWD, path, &handle.h, &mount_id, 0))
		return -1;
	return open_by_handle_at(root, &handle.h, flags);
}

int main(int argc, char **argv)
{
	const char *mode = "r", *way = "openat", *proc = "/proc", *file;
	char dir[128], path[512], link[128];
	struct open_how how = {};
	long tid = 0, fd = -1;
	int opt, flags, err;

	while ((opt = getopt(argc, argv, "m:w:t:")) != -1) {
		if (opt == 'm')
			mode = optarg;
		else if (opt == 'w')
			way = optarg;
		else if (opt == 't')
			tid = atol(optarg);
		else
			return 2;
	}
	if (optind + 2 > argc)
		return 2;
	file = argv[optind + 1];
	flags = !strcmp(mode, "r") ? O_RDONLY : !strcmp(mode, "w") ? O_WRONLY : O_RDWR;
	if (!strcmp(way, "mount")) {
		proc = "/mnt";
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("proc", proc, "proc", 0, NULL))
			trigger_die("private procfs");
	}
	if (!strcmp(way, "task"))
		snprintf(dir, sizeof(dir), "%s/%s/task/%ld", proc, argv[optind], tid);
	else
		snprintf(dir, sizeof(dir), "%s/%ld", proc, tid ?: atol(argv[optind]));
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	errno = 0;
	if (!strcmp(way, "open")) {
		fd = syscall(SYS_open, path, flags);
	} else if (!strcmp(way, "creat")) {
		fd = syscall(SYS_creat, path, 0600);
	} else if (!strcmp(way, "openat2")) {
		how.flags = flags;
		fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	} else if (!strcmp(way, "dirfd")) {
		fd = syscall(SYS_openat, open(dir, O_PATH | O_DIRECTORY), file, flags);
	} else if (!strcmp(way, "cwd")) {
		fd = chdir(dir) ? -1 : syscall(SYS_openat, AT_FDCWD, file, flags);
	} else if (!strcmp(way, "opath")) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", open(path, O_PATH));
		fd = syscall(SYS_openat, AT_FDCWD, link, flags);
	} else if (!strcmp(way, "symlink")) {
		snprintf(link, sizeof(link), "/tmp/cachewarden-link.%d", getpid());
		if (symlink(path, link))
			trigger_die("symlink");
		errno = 0;
		fd = syscall(SYS_openat, AT_FDCWD, link, flags);
		err = errno;
		unlink(link);
		errno = err;
	} else if (!strcmp(way, "handle")) {
		fd = open_by_handle(path, flags);
	} else {
		fd = syscall(SYS_openat, AT_FDCWD, path, flags);
	}
	err = fd < 0 ? errno : 0;
	trigger_report("\"tid\":%d,\"file\":\"%s\",\"way\":\"%s\",\"result\":%ld,\"errno\":%d",
		       getpid(), file, way, fd, err);
	return 0;
}
