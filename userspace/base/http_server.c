// SPDX-License-Identifier: BSD-2-Clause
/* http_server.c - see http_server.h. */
#include "base/http_server.h"

#include "base/clock.h"
#include "base/http_address.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX (HTTP_HEAD_MAX + HTTP_BODY_MAX)
#define REPLY_HEAD_MAX 512
#define LOOK_MS 500

struct connection {
	int fd; /* -1: free */
	uint64_t until_ns;
	size_t len;	/* bytes that wait */
	bool continued; /* the client was told to send the body */
	char *bytes;	/* MESSAGE_MAX, and one for a NUL */
};

struct http_server {
	int fd;
	http_answer_fn fn;
	void *ctx;
	struct connection conn[HTTP_CONNECTIONS_MAX];
	size_t open;
	uint64_t pause_ns; /* until then nothing is accepted: there was no descriptor for it */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* of its socket; empty: none */
};

void http_reply_text(struct http_reply *r, int status, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(r->body, sizeof(r->body), fmt, args);
	va_end(args);
	r->status = status;
	r->type = "text/plain; charset=utf-8";
	r->page = NULL;
	r->len = (size_t)n < sizeof(r->body) ? (size_t)n : sizeof(r->body) - 1;
}

/* --- connections --- */

static void hang_up(struct http_server *s, struct connection *c)
{
	shutdown(c->fd, SHUT_RDWR); /* also where a forked process has it open */
	close(c->fd);
	free(c->bytes);
	*c = (struct connection){.fd = -1};
	s->open--;
}

static uint64_t deadline(void)
{
	return clock_boot_ns() + HTTP_REQUEST_MS * NS_PER_MS;
}

static void take_connection(struct http_server *s)
{
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection *c = s->conn;
	int room = HTTP_PAGE_MAX;

	if (fd < 0) {
		/* it stays in the queue, and poll() would report it again at once */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			s->pause_ns = clock_boot_ns() + LOOK_MS * NS_PER_MS;
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	while (c->fd >= 0) /* there is one: see wait_for() */
		c++;
	*c = (struct connection){
		.fd = fd, .until_ns = deadline(), .bytes = malloc(MESSAGE_MAX + 1)};
	s->open++;
	if (!c->bytes)
		hang_up(s, c);
}

/* An answer fits into an empty socket; whoever has left others unread does not get it. */
static bool send_all(struct connection *c, const char *bytes, size_t len)
{
	return send(c->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool send_reply(struct connection *c, const struct http_reply *r, bool keep_alive)
{
	char head[REPLY_HEAD_MAX];
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
			 http_status_text(r->status), r->type, r->len,
			 keep_alive ? "" : "Connection: close\r\n");
	struct iovec part[] = {{head, (size_t)n}, {(char *)(r->page ?: r->body), r->len}};
	struct msghdr all = {.msg_iov = part, .msg_iovlen = 2};

	return sendmsg(c->fd, &all, MSG_NOSIGNAL) == n + (ssize_t)r->len && keep_alive;
}

/* --- requests --- */

static void refuse(struct connection *c, int status, const char *why)
{
	struct http_reply r;

	http_reply_text(&r, status, "%s\n", why);
	send_reply(c, &r, false);
}

static void refuse_head(struct connection *c, int err)
{
	if (err == -EOPNOTSUPP)
		refuse(c, 501, "only HTTP/1 with Content-Length is understood");
	else if (err == -EFBIG)
		refuse(c, 431, "the head of the request is too long");
	else
		refuse(c, 400, "this is no HTTP request");
}

/* Answer one request if it is complete. Returns false if the connection is to end; *done: it was answered. */
static bool answer(struct http_server *s, struct connection *c, bool *done)
{
	struct http_request req;
	struct http_reply reply = {};
	int head = http_parse_request(c->bytes, c->len, &req);
	size_t whole;
	char after;

	*done = false;
	if (head < 0)
		refuse_head(c, head);
	if (head <= 0)
		return !head;
	if (req.body_len > HTTP_BODY_MAX) {
		refuse(c, 413, "the request is too large");
		return false;
	}
	whole = (size_t)head + req.body_len;
	if (c->len < whole && req.expects_continue && !c->continued) {
		c->continued = true;
		return send_all(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	}
	if (c->len < whole)
		return true;
	after = c->bytes[whole];
	c->bytes[whole] = '\0';
	http_reply_text(&reply, 500, "no answer\n");
	s->fn(s->ctx, &req, c->bytes + head, &reply);
	c->bytes[whole] = after;
	*done = true;
	c->len -= whole;
	memmove(c->bytes, c->bytes + whole, c->len);
	c->until_ns = deadline();
	c->continued = false;
	return send_reply(c, &reply, req.keep_alive);
}

/* Requests may come one behind another. */
static void receive(struct http_server *s, struct connection *c)
{
	ssize_t n = recv(c->fd, c->bytes + c->len, MESSAGE_MAX - c->len, 0);
	bool done = true, fine = true;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		hang_up(s, c);
		return;
	}
	c->len += (size_t)n;
	while (fine && done && c->len)
		fine = answer(s, c, &done);
	if (!fine)
		hang_up(s, c);
}

/* --- loop --- */

static void drop_late(struct http_server *s, uint64_t now)
{
	bool full = s->open == HTTP_CONNECTIONS_MAX;
	uint64_t less = (HTTP_REQUEST_MS - HTTP_SILENT_MS) * NS_PER_MS;

	for (struct connection *c = s->conn; c < s->conn + HTTP_CONNECTIONS_MAX; c++) {
		if (c->fd < 0 || now < c->until_ns - (full && !c->len ? less : 0))
			continue;
		if (c->len)
			refuse(c, 408, "the request took too long");
		hang_up(s, c);
	}
}

/* What to wait for: to stop, new connections if there is room, then connections in the order of s->conn. */
static int wait_for(struct http_server *s, int stop_fd, struct pollfd p[2 + HTTP_CONNECTIONS_MAX])
{
	bool paused = s->pause_ns > clock_boot_ns();

	p[0] = (struct pollfd){.fd = stop_fd, .events = POLLIN};
	p[1] = (struct pollfd){.fd = s->open < HTTP_CONNECTIONS_MAX && !paused ? s->fd : -1,
			       .events = POLLIN};
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		p[2 + i] = (struct pollfd){.fd = s->conn[i].fd, .events = POLLIN};
	if (poll(p, 2 + HTTP_CONNECTIONS_MAX, s->open || paused ? LOOK_MS : -1) < 0 &&
	    errno != EINTR)
		return -errno;
	return 0;
}

int http_server_run(struct http_server *s, int stop_fd)
{
	struct pollfd p[2 + HTTP_CONNECTIONS_MAX];
	int err;

	for (;;) {
		err = wait_for(s, stop_fd, p);
		if (err || p[0].revents)
			return err;
		for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
			if (p[2 + i].revents)
				receive(s, &s->conn[i]);
		}
		drop_late(s, clock_boot_ns());
		if (p[1].revents && s->open < HTTP_CONNECTIONS_MAX)
			take_connection(s);
	}
}

/* A socket that its listener left behind. */
static void remove_stale(const struct http_address *a)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->addr;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd >= 0 && connect(fd, (const struct sockaddr *)un, a->len) && errno == ECONNREFUSED &&
	    !lstat(un->sun_path, &st) && S_ISSOCK(st.st_mode))
		unlink(un->sun_path);
	if (fd >= 0)
		close(fd);
}

/* Returns 0 or a negative errno. */
static int listen_at(struct http_server *s, const struct http_address *a)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->addr;
	bool is_path = a->addr.ss_family == AF_UNIX;
	int on = 1;

	if (is_path)
		remove_stale(a);
	s->fd = socket(a->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(s->fd, (const struct sockaddr *)&a->addr, a->len))
		return -errno;
	if (is_path) {
		memcpy(s->path, un->sun_path, sizeof(s->path));
		if (chmod(s->path, 0660))
			return -errno;
	}
	return listen(s->fd, HTTP_CONNECTIONS_MAX) ? -errno : 0;
}

int http_server_adopt(struct http_server **ret, int fd, http_answer_fn fn, void *ctx)
{
	struct http_server *s = calloc(1, sizeof(*s));

	*ret = s;
	if (!s)
		return -ENOMEM;
	s->fd = fd;
	s->fn = fn;
	s->ctx = ctx;
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		s->conn[i].fd = -1;
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return 0;
}

int http_server_open(struct http_server **ret, const char *address, http_answer_fn fn, void *ctx)
{
	struct http_server *s;
	struct http_address a;
	int err = http_address_parse(&a, address, true);

	if (err)
		return err;
	err = http_server_adopt(&s, -1, fn, ctx) ?: listen_at(s, &a);
	if (err)
		http_server_close(s);
	else
		*ret = s;
	return err;
}

void http_server_close(struct http_server *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		if (s->conn[i].fd >= 0)
			hang_up(s, &s->conn[i]);
	}
	if (s->fd >= 0)
		close(s->fd);
	if (s->path[0])
		unlink(s->path);
	free(s);
}

unsigned int http_server_port(const struct http_server *s)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} addr = {};
	socklen_t len = sizeof(addr);

	if (getsockname(s->fd, &addr.any, &len))
		return 0;
	return ntohs(addr.any.sa_family == AF_INET6 ? addr.v6.sin6_port : addr.v4.sin_port);
}
