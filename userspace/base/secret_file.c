// SPDX-License-Identifier: BSD-2-Clause
/* secret_file.c - see secret_file.h. */
#include "base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int secret_file_open(const char *path, char *error, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		snprintf(error, size, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		snprintf(error, size, "%s: not a regular file", path);
	else if (st.st_uid && st.st_uid != geteuid())
		snprintf(error, size,
			 "%s: owned by uid %u; expected root or the user running cachewarden", path,
			 st.st_uid);
	else if (st.st_mode & (S_IRWXG | S_IRWXO))
		snprintf(
			error, size,
			"%s: mode %04o lets others than its owner use it; expected 0600 or stricter",
			path, st.st_mode & 07777);
	else
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

bool secret_file_line(const char *path, char *line, size_t line_size, char *error, size_t size)
{
	int fd = secret_file_open(path, error, size);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, line, line_size - 1);
	close(fd);
	line[n > 0 ? (size_t)n : 0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (!line[0])
		snprintf(error, size, "%s: its first line is empty", path);
	return line[0];
}
