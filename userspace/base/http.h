/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http.h - the heads of HTTP/1.1 messages (RFC 9112), as far as one small POST needs them: no chunks, no folded lines, no
 * upgrade. What is not needed is refused, not guessed. Pure: no I/O. Why not a library: the smallest that Debian has
 * (libmicrohttpd) brings GnuTLS into a program that runs as root, for what is a hundred lines here.
 */
#ifndef CACHEWARDEN_HTTP_H
#define CACHEWARDEN_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_HEAD_MAX 8192
#define HTTP_TARGET_LEN 256
#define HTTP_TYPE_LEN 64

struct http_request {
	char method[16];
	char target[HTTP_TARGET_LEN]; /* path, without a query */
	size_t body_len;
	bool keep_alive;
	bool expects_continue;
};

/*
 * The head at the beginning of these bytes. Returns its length; 0 if it is not complete; or what is wrong with it: -EBADMSG no
 * HTTP, -EOPNOTSUPP a transfer coding or version that is not understood, -EFBIG too long.
 */
int http_parse_request(const char *bytes, size_t len, struct http_request *ret);

struct http_response {
	int status;
	char type[HTTP_TYPE_LEN]; /* media type without parameters, lower case; empty: none */
	size_t body_len;	  /* SIZE_MAX: up to the end of the connection */
};

/* The same for a response. */
int http_parse_response(const char *bytes, size_t len, struct http_response *ret);

/* "200 OK": the code and its name. */
const char *http_status_text(int status);

#endif
