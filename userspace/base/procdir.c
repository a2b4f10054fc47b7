// SPDX-License-Identifier: BSD-2-Clause
/* procdir.c - see procdir.h. */
#include "base/procdir.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t procdir_read(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 1;

	buf[0] = '\0';
	if (fd < 0)
		return -errno;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	n = n < 0 ? -errno : (ssize_t)len;
	buf[len] = '\0';
	close(fd);
	return n;
}

ssize_t procdir_link(int dir, const char *name, char *buf, size_t size)
{
	ssize_t n = readlinkat(dir, name, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
	return n < 0 ? -errno : n;
}

/* Counted from the last ')', because the command name may contain any character. */
bool procdir_stat_field(const char *stat, int n, int64_t *ret)
{
	const char *at = strrchr(stat, ')');
	char *end;

	for (int field = 2; at && field < n; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return false;
	*ret = strtoll(at + 1, &end, 10);
	return end != at + 1;
}

bool procdir_status_field(const char *status, const char *name, char *buf, size_t size)
{
	size_t n = strlen(name);

	for (const char *at = status; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, name, n) != 0 || at[n] != ':')
			continue;
		at += n + 1;
		at += strspn(at, " \t");
		snprintf(buf, size, "%.*s", (int)strcspn(at, "\n"), at);
		return true;
	}
	return false;
}

int procdir_open(const char *root, pid_t pid, uint64_t start_ns)
{
	uint64_t tick_ns = NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
	char path[64], stat[1024];
	int64_t ticks = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%.40s/%d", root, (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = procdir_read(fd, "stat", stat, sizeof(stat));
	if (n >= 0 &&
	    (!procdir_stat_field(stat, 22, &ticks) || (uint64_t)ticks != start_ns / tick_ns))
		n = -ESRCH;
	if (n >= 0)
		return fd;
	close(fd);
	return n == -ENOENT ? -ESRCH : (int)n;
}

int procdir_pin_exe(int dir)
{
	int fd = openat(dir, "exe", O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int procdir_open_pinned(int pinned)
{
	char path[32];
	struct stat st;
	int fd;

	if (fstat(pinned, &st))
		return -errno;
	if (!S_ISREG(st.st_mode)) /* opening a device can do something */
		return -EINVAL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pinned);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}
