// SPDX-License-Identifier: BSD-2-Clause
/* run_dir.c - see run_dir.h. */
#include "monitor/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_LONGEST 88 /* an address of a UNIX socket has 108 bytes, /PID.sock up to 17 */

const char *run_dir_path(void)
{
	const char *path = getenv("RUNTIME_DIRECTORY");

	return path && path[0] == '/' ? path : "/run/cachewarden";
}

int run_dir_open(void)
{
	struct stat st;
	int fd;

	if (strlen(run_dir_path()) > PATH_LONGEST)
		return -ENAMETOOLONG;
	if (mkdir(run_dir_path(), 0700) && errno != EEXIST)
		return -errno;
	fd = open(run_dir_path(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && !st.st_uid && !(st.st_mode & 077))
		return fd;
	close(fd);
	return -EPERM;
}
