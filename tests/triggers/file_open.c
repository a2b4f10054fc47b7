/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_open: opens a file, and neither reads nor writes it.
 *
 *     -m r|w|rw   access mode; r if not given
 *     -w WAY      open, openat (the default), openat2; uring (io_uring); handle (open_by_handle_at);
 *                 opath (O_PATH, then /proc/self/fd/N); path_only (O_PATH alone); symlink or link (a
 *                 second name made for it); away (a symbolic link in /tmp); overlay (through an
 *                 overlay over its directory, in a mount namespace of its own); mem, snapshot (a node
 *                 with the device number of /dev/mem or /dev/snapshot, made beside PATH)
 *     -h          hold the file until killed
 *
 * Ground truth: "way", "result" and "errno" of the open.
 */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "open.h"
#include "uring.h"

static const char synopsis[] = "PATH [-m r|w|rw] [-w WAY] [-h]";

static int make_link(const char *path, const char *name)
{
	return link(path, name);
}

static int make_mem_node(const char *path, const char *node)
{
	return mknod(node, S_IFCHR | 0600, makedev(1, 1));
}

static int make_snapshot_node(const char *path, const char *node)
{
	return mknod(node, S_IFCHR | 0600, makedev(10, 231));
}

/* The overlay's file is another inode with the same bytes. */
static long open_overlay(const char *dir, const char *path, int flags)
{
	char options[1200], at[64], empty[80], name[600];
	long fd;
	int err;

	snprintf(at, sizeof(at), "/tmp/file_open.%d", getpid());
	snprintf(empty, sizeof(empty), "%s.empty", at);
	snprintf(name, sizeof(name), "%s%s", at, strrchr(path, '/'));
	snprintf(options, sizeof(options), "lowerdir=%s:%s", dir, empty);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mkdir(at, 0700) || mkdir(empty, 0700))
		trigger_die("%s", at);
	fd = mount("overlay", at, "overlay", MS_RDONLY, options)
		     ? -1
		     : syscall(SYS_openat, AT_FDCWD, name, flags);
	err = errno;
	umount2(at, MNT_DETACH);
	rmdir(at);
	rmdir(empty);
	errno = err;
	return fd;
}

static long open_way(const char *way, const char *path, int flags)
{
	char dir[512], name[600], *slash;
	int r;

	snprintf(name, sizeof(name), "%s.%d", path, getpid());
	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	errno = 0;
	if (!strcmp(way, "path_only"))
		return open(path, O_PATH);
	if (!strcmp(way, "symlink"))
		return open_other_name(path, name, flags, symlink);
	if (!strcmp(way, "overlay"))
		return open_overlay(dir, path, flags);
	if (!strcmp(way, "away")) {
		snprintf(name, sizeof(name), "/tmp/file_open.%d", getpid());
		return open_other_name(path, name, flags, symlink);
	}
	if (!strcmp(way, "link"))
		return open_other_name(path, name, flags, make_link);
	if (!strcmp(way, "mem"))
		return open_other_name(path, name, flags, make_mem_node);
	if (!strcmp(way, "snapshot"))
		return open_other_name(path, name, flags, make_snapshot_node);
	if (!strcmp(way, "handle"))
		return open_handle(dir, path, flags);
	if (strcmp(way, "uring"))
		return open_path(way, path, flags);
	r = uring_open(path, flags, NULL);
	errno = r < 0 ? -r : 0;
	return r < 0 ? -1 : r;
}

int main(int argc, char **argv)
{
	const char *mode = "r", *way = "openat";
	int opt, hold = 0;
	long fd;

	while ((opt = getopt(argc, argv, "m:w:h")) != -1) {
		if (opt == 'm')
			mode = optarg;
		else if (opt == 'w')
			way = optarg;
		else if (opt == 'h')
			hold = 1;
		else
			trigger_usage(synopsis);
	}
	if (optind >= argc)
		trigger_usage(synopsis);
	fd = open_way(way, argv[optind], open_flags(mode));
	trigger_report("\"way\":\"%s\",\"result\":%ld,\"errno\":%d", way, fd, fd < 0 ? errno : 0);
	if (hold)
		trigger_stay();
	return 0;
}
