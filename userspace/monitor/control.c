// SPDX-License-Identifier: BSD-2-Clause
/* control.c - see control.h. */
#include "monitor/control.h"

#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_NS                                                                                  \
	(500 * NS_PER_MS) /* as long as the monitor may be kept from its work by a reader */
#define ASKERS_MAX 4	  /* each time */

static void path_of(struct sockaddr_un *to, pid_t pid)
{
	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(to->sun_path, sizeof(to->sun_path), CONTROL_DIR "/%d.sock", (int)pid);
}

int control_open(struct ask *a)
{
	struct sockaddr_un where;
	struct stat st;
	int err = 0;

	a->fd = -1;
	a->pid = getpid();
	if (mkdir(CONTROL_DIR, 0700) && errno != EEXIST)
		return -errno;
	if (lstat(CONTROL_DIR, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || st.st_mode & 077)
		return -EPERM; /* somebody else's: not to be trusted */
	path_of(&where, a->pid);
	unlink(where.sun_path); /* of one who had this pid and was killed */
	a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0)
		return -errno;
	if (bind(a->fd, (struct sockaddr *)&where, sizeof(where)) || listen(a->fd, 16)) {
		err = -errno;
		close(a->fd);
		a->fd = -1;
	}
	return err;
}

void control_close(struct ask *a)
{
	struct sockaddr_un where;

	if (a->fd < 0)
		return;
	close(a->fd);
	a->fd = -1;
	path_of(&where, a->pid);
	unlink(where.sun_path);
}

void control_reply(struct ask *a, int fd, const char *line, size_t len)
{
	while (len && !a->gave_up) {
		ssize_t n = send(fd, line, len, MSG_NOSIGNAL);

		if (n <= 0 || clock_boot_ns() > a->until) {
			a->gave_up = true;
			return;
		}
		line += n;
		len -= (size_t)n;
	}
}

void control_serve(struct ask *a, void (*fn)(void *ctx, int fd, char question), void *ctx)
{
	struct timeval limit = {.tv_usec = 100000};

	for (int i = 0; a->fd >= 0 && i < ASKERS_MAX; i++) {
		int fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC);
		char question;

		if (fd < 0)
			return;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		a->gave_up = false;
		a->until = clock_boot_ns() + ANSWER_NS;
		if (recv(fd, &question, 1, 0) == 1)
			fn(ctx, fd, question);
		close(fd);
	}
}

size_t control_monitors(pid_t *pids, size_t max)
{
	DIR *dir = opendir(CONTROL_DIR);
	struct dirent *e;
	size_t n = 0;

	while (dir && n < max && (e = readdir(dir))) {
		char *end;
		long pid = strtol(e->d_name, &end, 10);

		if (pid > 0 && !strcmp(end, ".sock") && !kill((pid_t)pid, 0))
			pids[n++] = (pid_t)pid;
	}
	if (dir)
		closedir(dir);
	return n;
}

int control_request_send(pid_t pid, char question, int out)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;
	struct timeval limit = {.tv_sec = 5};
	struct sockaddr_un where;
	char buf[65536];
	ssize_t n;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	path_of(&where, pid);
	if (connect(fd, (struct sockaddr *)&where, sizeof(where)) ||
	    send(fd, &question, 1, MSG_NOSIGNAL) != 1) {
		err = -errno;
		close(fd);
		return err;
	}
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
		if (write(out, buf, (size_t)n) != n) {
			err = -errno;
			break;
		}
	}
	if (n < 0)
		err = errno == EAGAIN ? -ETIMEDOUT : -errno;
	close(fd);
	return err;
}
