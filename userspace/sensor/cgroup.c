// SPDX-License-Identifier: BSD-2-Clause
/*
 * cgroup.c - see cgroup.h. Hybrid hosts have the hierarchy at /sys/fs/cgroup/unified, others at
 * /sys/fs/cgroup.
 */
#include "sensor/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define FILEID_KERNFS 0xfe /* include/linux/exportfs.h: the handle is the 64-bit id */

/*
 * Mount point of cgroup2 from /proc/self/mountinfo (proc(5)). A bind mount of a subtree does not count.
 */
static int find_mount(char *where, size_t size)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096], root[1024], point[1024];
	int found = -ENOENT;

	if (!f)
		return -errno;
	while (found && fgets(line, sizeof(line), f)) {
		if (strstr(line, " - cgroup2 ") &&
		    sscanf(line, "%*d %*d %*s %1023s %1023s", root, point) == 2 &&
		    !strcmp(root, "/")) {
			snprintf(where, size, "%s", point);
			found = 0;
		}
	}
	fclose(f);
	return found;
}

static int mount_private(char *where, size_t size)
{
	char dir[] = "/tmp/cachewarden-cgroup-XXXXXX";
	int fd, err;

	if (!mkdtemp(dir))
		return -errno;
	if (mount("none", dir, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL)) {
		err = -errno;
		rmdir(dir);
		return err;
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = fd < 0 ? -errno : fd;
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	snprintf(where, size, "private mount");
	return err;
}

int cgroup_root_open(char *where, size_t size)
{
	int err = find_mount(where, size), fd;

	if (!err) {
		fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	return mount_private(where, size);
}

static int path_of_fd(int fd, char *buf, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return 0;
}

int cgroup_path(int root_fd, uint64_t id, char *buf, size_t size)
{
	struct {
		struct file_handle head;
		unsigned char bytes[sizeof(uint64_t)];
	} handle = {.head = {.handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS}};
	char root[PATH_MAX], path[PATH_MAX];
	size_t len;
	int fd, err;

	buf[0] = '\0';
	memcpy(handle.head.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(root_fd, &handle.head, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = path_of_fd(root_fd, root, sizeof(root));
	if (!err)
		err = path_of_fd(fd, path, sizeof(path));
	close(fd);
	if (err)
		return err;
	len = strcmp(root, "/") ? strlen(root) : 0;
	if (strncmp(path, root, len))
		return -EXDEV;
	snprintf(buf, size, "%s", path[len] ? path + len : "/");
	return 0;
}
