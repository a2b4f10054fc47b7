/* SPDX-License-Identifier: BSD-2-Clause */
/* open.h - the ways to open a path that file_open and proc_open have in common. */
#ifndef TRIGGER_OPEN_H
#define TRIGGER_OPEN_H

#include <linux/openat2.h>

#include "trigger.h"

/* O_RDONLY, O_WRONLY or O_RDWR for r, w or rw. */
static inline int open_flags(const char *mode)
{
	return !strcmp(mode, "r") ? O_RDONLY : !strcmp(mode, "w") ? O_WRONLY : O_RDWR;
}

/* By open_by_handle_at(2). dir: any directory of the file system. */
static inline long open_handle(const char *dir, const char *path, int flags)
{
	struct {
		struct file_handle h;
		unsigned char room[MAX_HANDLE_SZ];
	} handle = {.h.handle_bytes = MAX_HANDLE_SZ};
	int mount_id, at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (name_to_handle_at(AT_FDCWD, path, &handle.h, &mount_id, 0))
		return -1;
	return open_by_handle_at(at, &handle.h, flags);
}

/* An O_PATH descriptor first, then the file through /proc/self/fd/N. */
static inline long open_opath(const char *path, int flags)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", open(path, O_PATH));
	return syscall(SYS_openat, AT_FDCWD, link, flags);
}

/* Through a second name that create() makes and that is removed again. */
static inline long open_other_name(const char *path, const char *name, int flags,
				   int (*create)(const char *path, const char *name))
{
	long fd;
	int err;

	if (create(path, name))
		trigger_die("%s", name);
	errno = 0;
	fd = syscall(SYS_openat, AT_FDCWD, name, flags);
	err = errno;
	unlink(name);
	errno = err;
	return fd;
}

/* way: open, openat2, opath; anything else is openat. Returns the descriptor, or -1 with errno. */
static inline long open_path(const char *way, const char *path, int flags)
{
	struct open_how how = {.flags = (unsigned)flags};

	errno = 0;
	if (!strcmp(way, "open"))
		return syscall(SYS_open, path, flags);
	if (!strcmp(way, "openat2"))
		return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	if (!strcmp(way, "opath"))
		return open_opath(path, flags);
	return syscall(SYS_openat, AT_FDCWD, path, flags);
}

#endif
