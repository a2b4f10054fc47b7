/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_server.h - answers small HTTP requests, one after another, in one thread. Nobody can make it grow or wait: connections,
 * bytes and seconds of a request are bounded.
 */
#ifndef CACHEWARDEN_HTTP_SERVER_H
#define CACHEWARDEN_HTTP_SERVER_H

#include "base/http.h"

#define HTTP_BODY_MAX 65536
#define HTTP_CONNECTIONS_MAX 64
#define HTTP_REQUEST_MS 10000 /* for a whole request, and between two of a connection */
#define HTTP_SILENT_MS 1000 /* that a connection may say nothing while others wait for its place */
#define HTTP_REPLY_MAX 4096
#define HTTP_PAGE_MAX 131072

struct http_reply {
	int status;
	const char *type; /* media type of the body */
	char body[HTTP_REPLY_MAX];
	const char *
		page; /* instead of body, at most HTTP_PAGE_MAX bytes that last until the next answer; NULL: none */
	size_t len;
};

/* Set the status and a body of text. */
__attribute__((format(printf, 3, 4))) void http_reply_text(struct http_reply *r, int status,
							   const char *fmt, ...);

/* Answers one request; the body has a NUL behind it. */
typedef void (*http_answer_fn)(void *ctx, const struct http_request *r, const char *body,
			       struct http_reply *ret);

struct http_server;

/*
 * Listen at "ADDRESS:PORT", numbers; "[::1]:80" for IPv6; or at "unix:/PATH", which replaces a socket that nobody listens on, and
 * which the owner and the group of its directory may connect to. Returns 0 or a negative errno: -EINVAL if it is no such address.
 */
int http_server_open(struct http_server **ret, const char *address, http_answer_fn fn, void *ctx);
/* The same on a socket that listens already, which it takes. */
int http_server_adopt(struct http_server **ret, int fd, http_answer_fn fn, void *ctx);
void http_server_close(struct http_server *s);

/* The port it listens at: the kernel chooses one for port 0. */
unsigned int http_server_port(const struct http_server *s);

/* Answer until something can be read from stop_fd. Returns 0 or a negative errno. */
int http_server_run(struct http_server *s, int stop_fd);

#endif
