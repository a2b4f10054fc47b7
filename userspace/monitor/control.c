// SPDX-License-Identifier: BSD-2-Clause
/* control.c - see control.h. */
#include "monitor/control.h"

#include "base/clock.h"
#include "monitor/run_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define REPLY_NS (500 * NS_PER_MS) /* the longest a client may keep the monitor from its work */
#define REPLIES_MAX 4		   /* sent in one call */
#define ACCEPTED_MAX 64		   /* taken in one call */
#define CALL_US 100000		   /* one send() of the monitor */
#define CLIENT_TIMEOUT_S 5
#define REQUEST_MAX (22 + CONTROL_NAME) /* a letter, 64 bits in decimal, a blank, a name */

static void address_in(const char *dir, struct sockaddr_un *to, pid_t pid)
{
	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(to->sun_path, sizeof(to->sun_path), "%s/%d.sock", dir, (int)pid);
}

static void address(struct sockaddr_un *to, pid_t pid)
{
	address_in(run_dir_path(), to, pid);
}

/* Call fn for each socket in the directory, with the pid it is named after. */
static void each_socket(void (*fn)(void *ctx, pid_t pid), void *ctx)
{
	DIR *dir = opendir(run_dir_path());
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char *end;
		long pid = strtol(e->d_name, &end, 10);

		if (pid > 0 && !strcmp(end, ".sock"))
			fn(ctx, (pid_t)pid);
	}
	if (dir)
		closedir(dir);
}

struct stale {
	control_killed_fn fn;
	void *ctx;
};

/*
 * Nobody listens on the socket: its monitor was killed, and so was the guard, which would have removed it. Its pid may be
 * another process's by now.
 */
static void remove_stale(void *ctx, pid_t pid)
{
	const struct stale *stale = ctx;
	struct sockaddr_un addr;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	address(&addr, pid);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) &&
	    errno == ECONNREFUSED && !lstat(addr.sun_path, &st) && !unlink(addr.sun_path))
		stale->fn(stale->ctx, pid, st.st_mtim.tv_sec);
	if (fd >= 0)
		close(fd);
}

int control_open(struct control *c, control_killed_fn killed, void *ctx)
{
	struct stale stale = {killed, ctx};
	struct sockaddr_un addr;
	int dir, err = 0;

	c->fd = -1;
	c->pid = getpid();
	dir = run_dir_open();
	if (dir < 0)
		return dir;
	close(dir);
	each_socket(remove_stale, &stale);
	address(&addr, c->pid);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return -errno;
	if (bind(c->fd, (struct sockaddr *)&addr, sizeof(addr)) || chmod(addr.sun_path, 0600) ||
	    listen(c->fd, 16)) {
		err = -errno;
		close(c->fd);
		c->fd = -1;
	}
	return err;
}

void control_alive(const struct control *c)
{
	struct sockaddr_un addr;

	address(&addr, c->pid);
	if (c->fd >= 0)
		utimensat(AT_FDCWD, addr.sun_path, NULL, 0);
}

void control_forget(pid_t pid)
{
	struct sockaddr_un addr;

	address(&addr, pid);
	unlink(addr.sun_path);
}

void control_close(struct control *c)
{
	if (c->fd < 0)
		return;
	for (size_t i = 0; i < c->silents; i++)
		close(c->silent[i]);
	c->silents = 0;
	close(c->fd);
	c->fd = -1;
	control_forget(c->pid);
}

void control_reply(struct control *c, int fd, const char *text, size_t len)
{
	while (len && !c->stalled) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n <= 0 || clock_boot_ns() > c->deadline_ns) {
			c->stalled = true;
			return;
		}
		text += n;
		len -= (size_t)n;
	}
}

/* The user who called connect(), whoever holds the socket now. */
static bool is_trusted(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	       (!peer.uid || peer.uid == geteuid());
}

enum answered { ANSWERED, HUNG_UP, SILENT };

/* A letter, a decimal number and behind a blank a name; each of these may be missing. */
static struct control_request parse(const char *text)
{
	struct control_request r = {.letter = text[0]};
	const char *c = text + 1;

	for (; *c >= '0' && *c <= '9'; c++)
		r.number = r.number * 10 + (uint64_t)(*c - '0');
	if (*c == ' ')
		snprintf(r.name, sizeof(r.name), "%s", c + 1);
	return r;
}

/* Unless it says nothing yet, that was all: what follows its first words is not read. */
static enum answered answer(struct control *c, int fd, control_fn fn, void *ctx)
{
	char text[REQUEST_MAX + 1] = "";
	ssize_t n = recv(fd, text, REQUEST_MAX, MSG_DONTWAIT);
	struct control_request request;

	if (n < 0 && errno == EAGAIN)
		return SILENT;
	if (n > 0) {
		c->stalled = false;
		c->deadline_ns = clock_boot_ns() + REPLY_NS;
		request = parse(text);
		fn(ctx, fd, &request);
	}
	shutdown(fd, SHUT_RDWR); /* a guard that was started meanwhile has it open, too */
	close(fd);
	return n > 0 ? ANSWERED : HUNG_UP;
}

static void remove_silent(struct control *c, size_t i)
{
	c->silents--;
	memmove(&c->silent[i], &c->silent[i + 1], (c->silents - i) * sizeof(c->silent[0]));
}

static void keep_silent(struct control *c, int fd)
{
	if (c->silents == CONTROL_SILENT_MAX) {
		close(c->silent[0]);
		remove_silent(c, 0);
	}
	c->silent[c->silents++] = fd;
}

size_t control_poll(const struct control *c, struct pollfd fds[CONTROL_POLL_MAX])
{
	size_t n = 0;

	fds[n++] = (struct pollfd){.fd = c->fd, .events = POLLIN};
	for (size_t i = 0; i < c->silents; i++)
		fds[n++] = (struct pollfd){.fd = c->silent[i], .events = POLLIN};
	return n;
}

void control_serve(struct control *c, control_fn fn, void *ctx)
{
	struct timeval limit = {.tv_usec = CALL_US};
	int replies = 0;

	for (size_t i = 0; i < c->silents && replies < REPLIES_MAX;) {
		enum answered done = answer(c, c->silent[i], fn, ctx);

		if (done == SILENT)
			i++;
		else
			remove_silent(c, i);
		replies += done == ANSWERED;
	}
	for (int i = 0; c->fd >= 0 && i < ACCEPTED_MAX && replies < REPLIES_MAX; i++) {
		int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
		enum answered done;

		if (fd < 0)
			return;
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		if (!is_trusted(fd)) {
			close(fd);
			continue;
		}
		done = answer(c, fd, fn, ctx);
		if (done == SILENT)
			keep_silent(c, fd);
		replies += done == ANSWERED;
	}
}

struct monitor_list {
	pid_t *pids;
	size_t n, max;
};

static void list_monitor(void *ctx, pid_t pid)
{
	struct monitor_list *l = ctx;

	if (l->n < l->max && !kill(pid, 0))
		l->pids[l->n++] = pid;
}

size_t control_monitors(pid_t *pids, size_t max)
{
	struct monitor_list l = {.pids = pids, .max = max};

	each_socket(list_monitor, &l);
	return l.n;
}

static int read_reply(int fd, control_piece_fn fn, void *ctx)
{
	char buf[65536];
	ssize_t n;
	int err = 0;

	while (!err && (n = recv(fd, buf, sizeof(buf), 0)) > 0)
		err = fn(ctx, buf, (size_t)n);
	if (!err && n < 0)
		err = errno == EAGAIN ? -ETIMEDOUT : -errno;
	return err;
}

/* Returns the length of what is sent. */
static size_t write_request(const struct control_request *r, char text[REQUEST_MAX + 1])
{
	size_t len = 1;

	text[0] = r->letter;
	if (r->number)
		len += (size_t)snprintf(text + len, REQUEST_MAX, "%" PRIu64, r->number);
	if (r->name[0])
		len += (size_t)snprintf(text + len, REQUEST_MAX + 1 - len, " %s", r->name);
	return len;
}

int control_ask(const char *dir, pid_t pid, const struct control_request *request, int flags)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), err;
	struct timeval limit = {.tv_sec = CLIENT_TIMEOUT_S};
	char text[REQUEST_MAX + 1];
	size_t len = write_request(request, text);
	struct sockaddr_un addr;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	address_in(dir ?: run_dir_path(), &addr, pid);
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)) &&
	    send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int control_query(const char *dir, pid_t pid, const struct control_request *request,
		  control_piece_fn fn, void *ctx)
{
	int fd = control_ask(dir, pid, request, 0), err;

	if (fd < 0)
		return fd;
	err = read_reply(fd, fn, ctx);
	close(fd);
	return err;
}
