/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc_open: opens /proc/PID/FILE, and reads or writes nothing unless told to.
 *
 *     -m r|w|rw   access mode; r if not given
 *     -w WAY      open, openat (the default), openat2, creat; or by another name of the same file: dirfd
 *                 (openat below an open /proc/PID), cwd, task (below task/TID), mount (a procfs mounted in
 *                 a private namespace), opath (O_PATH, then /proc/self/fd/N), symlink, handle
 *                 (open_by_handle_at)
 *     -t TID      with any way but task: /proc/TID/FILE
 *     -r          reads a page of the file, or lists the directory
 *     -1          writes "1" to it
 *
 * Ground truth: "file", "way", "result" and "errno" of the open; "moved", what the read or write returned.
 */
#include "open.h"

static const char synopsis[] = "PID FILE [-m r|w|rw] [-w WAY] [-t TID] [-r] [-1]";

static long open_way(const char *way, const char *dir, const char *file, int flags)
{
	char path[512], name[128];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	snprintf(name, sizeof(name), "/tmp/cachewarden-link.%d", getpid());
	errno = 0;
	if (!strcmp(way, "creat"))
		return syscall(SYS_creat, path, 0600);
	if (!strcmp(way, "dirfd"))
		return syscall(SYS_openat, open(dir, O_PATH | O_DIRECTORY), file, flags);
	if (!strcmp(way, "cwd"))
		return chdir(dir) ? -1 : syscall(SYS_openat, AT_FDCWD, file, flags);
	if (!strcmp(way, "symlink"))
		return open_other_name(path, name, flags, symlink);
	if (!strcmp(way, "handle"))
		return open_handle("/proc", path, flags);
	return open_path(way, path, flags);
}

static long read_some(long fd)
{
	static char page[4096];
	ssize_t n = read(fd, page, sizeof(page));

	return n < 0 && errno == EISDIR ? syscall(SYS_getdents64, fd, page, sizeof(page)) : n;
}

int main(int argc, char **argv)
{
	const char *mode = "r", *way = "openat", *proc = "/proc", *file;
	long pid, tid = 0, fd, moved = 0;
	char dir[128], what = 0;
	int opt, err;

	while ((opt = getopt(argc, argv, "m:w:t:r1")) != -1) {
		if (opt == 'm')
			mode = optarg;
		else if (opt == 'w')
			way = optarg;
		else if (opt == 't')
			tid = atol(optarg);
		else if (opt == 'r' || opt == '1')
			what = opt;
		else
			trigger_usage(synopsis);
	}
	if (optind + 2 > argc)
		trigger_usage(synopsis);
	pid = atol(argv[optind]);
	file = argv[optind + 1];
	if (!strcmp(way, "mount")) {
		proc = "/mnt";
		trigger_mount_proc(proc);
	}
	if (!strcmp(way, "task"))
		snprintf(dir, sizeof(dir), "%s/%ld/task/%ld", proc, pid, tid);
	else
		snprintf(dir, sizeof(dir), "%s/%ld", proc, tid ?: pid);
	fd = open_way(way, dir, file, open_flags(mode));
	err = fd < 0 ? errno : 0;
	if (fd >= 0 && what)
		moved = what == '1' ? write(fd, "1", 1) : read_some(fd);
	trigger_report("\"file\":\"%s\",\"way\":\"%s\",\"result\":%ld,\"errno\":%d,\"moved\":%ld",
		       file, way, fd, err, moved);
	return 0;
}
