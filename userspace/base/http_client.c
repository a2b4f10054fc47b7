// SPDX-License-Identifier: BSD-2-Clause
/*
 * http_client.c - see http_client.h. HTTP/1.0, so that a server neither sends chunks nor waits for another request.
 */
#include "base/http_client.h"

#include "base/clock.h"
#include "base/http_address.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEME "http://"
#define HOST_LEN 272
#define PREFIX_LEN 256

struct url {
	char host[HOST_LEN]; /* with the port */
	char prefix[PREFIX_LEN];
};

static int parse_url(struct url *u, const char *text)
{
	size_t host, prefix;

	if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
		return -EINVAL;
	text += strlen(SCHEME);
	host = strcspn(text, "/");
	prefix = strlen(text + host);
	while (prefix && text[host + prefix - 1] == '/')
		prefix--;
	for (const char *c = text; *c; c++) {
		if (*c <= ' ' || *c >= 0x7f || *c == '@' || *c == '?' || *c == '#')
			return -EINVAL;
	}
	if (!host || host + sizeof(":80") > sizeof(u->host) || prefix >= sizeof(u->prefix))
		return -EINVAL;
	snprintf(u->host, sizeof(u->host), "%.*s", (int)host, text);
	if (!strchr(u->host, ':') || u->host[host - 1] == ']')
		snprintf(u->host + host, sizeof(u->host) - host, ":80");
	snprintf(u->prefix, sizeof(u->prefix), "%.*s", (int)prefix, text + host);
	return 0;
}

/* Wait until the socket is ready. Returns 0, -ETIMEDOUT, or another negative errno. */
static int wait_for(int fd, short events, uint64_t until_ns)
{
	struct pollfd p = {.fd = fd, .events = events};
	uint64_t now = clock_boot_ns();
	int n;

	if (now >= until_ns)
		return -ETIMEDOUT;
	do {
		n = poll(&p, 1, (int)((until_ns - now) / NS_PER_MS) + 1);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n ? 0 : -ETIMEDOUT;
}

static int connect_to(const struct http_address *a, uint64_t until_ns)
{
	int fd = socket(a->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err = 0;
	socklen_t len = sizeof(err);

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)&a->addr, a->len))
		return fd;
	if (errno != EINPROGRESS) {
		err = -errno;
	} else {
		err = wait_for(fd, POLLOUT, until_ns);
		if (!err && !getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
			err = -err;
	}
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int send_all(int fd, const char *bytes, size_t len, uint64_t until_ns)
{
	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
		int err;

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return errno == EPIPE || errno == ECONNRESET
				       ? 0
				       : -errno; /* it may have answered */
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
			continue;
		}
		err = wait_for(fd, POLLOUT, until_ns);
		if (err)
			return err;
	}
	return 0;
}

/* Up to the end of the connection or of the message. */
static int receive(int fd, char *bytes, size_t room, size_t *ret_len, uint64_t until_ns)
{
	struct http_response head;
	int err = 0, n;

	*ret_len = 0;
	while (!err) {
		ssize_t got = recv(fd, bytes + *ret_len, room - *ret_len, 0);

		if (!got || (got < 0 && errno == ECONNRESET && *ret_len))
			return 0;
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (got < 0) {
			err = wait_for(fd, POLLIN, until_ns);
			continue;
		}
		*ret_len += (size_t)got;
		if (*ret_len == room)
			return -EFBIG;
		n = http_parse_response(bytes, *ret_len, &head);
		if (n < 0)
			return n;
		if (n && head.body_len != SIZE_MAX && *ret_len >= (size_t)n + head.body_len)
			return 0;
	}
	return err;
}

static int take(struct http_answer *ret, const char *bytes, size_t len)
{
	int n = http_parse_response(bytes, len, &ret->head);

	if (n <= 0)
		return n ?: -EBADMSG;
	ret->len = len - (size_t)n;
	if (ret->head.body_len != SIZE_MAX && ret->len < ret->head.body_len)
		return -EBADMSG; /* cut off */
	if (ret->head.body_len < ret->len)
		ret->len = ret->head.body_len;
	if (ret->len >= sizeof(ret->body))
		return -EFBIG;
	memcpy(ret->body, bytes + n, ret->len);
	ret->body[ret->len] = '\0';
	return 0;
}

static int exchange(int fd, const struct url *u, const char *path, const char *body, size_t len,
		    struct http_answer *ret)
{
	uint64_t until = clock_boot_ns() + HTTP_CLIENT_MS * NS_PER_MS;
	size_t room = HTTP_HEAD_MAX + HTTP_ANSWER_MAX, got;
	char head[HOST_LEN + PREFIX_LEN + 256], *bytes;
	int n = snprintf(head, sizeof(head),
			 "POST %s%s HTTP/1.0\r\nHost: %s\r\nContent-Type: text/plain\r\n"
			 "Content-Length: %zu\r\n\r\n",
			 u->prefix, path, u->host, len);
	int err;

	if ((size_t)n >= sizeof(head))
		return -EINVAL;
	bytes = malloc(room);
	if (!bytes)
		return -ENOMEM;
	err = send_all(fd, head, (size_t)n, until) ?: send_all(fd, body, len, until);
	err = err ?: receive(fd, bytes, room, &got, until);
	err = err ?: take(ret, bytes, got);
	free(bytes);
	return err;
}

int http_post(const char *url, const char *path, const char *body, size_t len,
	      struct http_answer *ret)
{
	struct http_address a;
	struct url u;
	int err = parse_url(&u, url), fd;

	err = err ?: http_address_parse(&a, u.host, false);
	if (err)
		return err;
	fd = connect_to(&a, clock_boot_ns() + HTTP_CLIENT_MS * NS_PER_MS);
	if (fd < 0)
		return fd;
	err = exchange(fd, &u, path, body, len, ret);
	close(fd);
	return err;
}
