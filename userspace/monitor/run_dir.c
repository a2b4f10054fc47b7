// SPDX-License-Identifier: BSD-2-Clause
/* run_dir.c - see run_dir.h. */
#include "monitor/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int run_dir_open(void)
{
	struct stat st;
	int fd;

	if (mkdir(RUN_DIR, 0700) && errno != EEXIST)
		return -errno;
	fd = open(RUN_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && !st.st_uid && !(st.st_mode & 077))
		return fd;
	close(fd);
	return -EPERM;
}
