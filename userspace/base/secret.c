// SPDX-License-Identifier: BSD-2-Clause
/* secret.c - see secret.h. */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int secret_open(const char *path, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err = -EACCES;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		err = -errno;
		snprintf(why, size, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		snprintf(why, size, "%s: not a regular file", path);
	} else if (st.st_uid && st.st_uid != geteuid()) {
		snprintf(why, size,
			 "%s: owned by uid %u; expected root or the user running cachewarden", path,
			 st.st_uid);
	} else if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		snprintf(
			why, size,
			"%s: mode %04o lets others than its owner use it; expected 0600 or stricter",
			path, st.st_mode & 07777);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

/* Up to the end of the line, or of the text. */
static size_t line_length(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] && text[n] != '\r' && text[n] != '\n')
		n++;
	return n;
}

int secret_read_line(const char *path, char *buf, size_t room, char *why, size_t size)
{
	int fd = secret_open(path, why, size);
	size_t len;
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, buf, room);
	close(fd);
	len = n > 0 ? line_length(buf, (size_t)n) : 0;
	if (len == room) {
		explicit_bzero(buf, room);
		snprintf(why, size, "%s: its first line is longer than %zu characters", path,
			 room - 1);
		return -E2BIG;
	}
	explicit_bzero(buf + len, room - len);
	if (len)
		return 0;
	snprintf(why, size, "%s: its first line is empty", path);
	return -ENODATA;
}
