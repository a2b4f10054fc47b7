/* SPDX-License-Identifier: BSD-2-Clause */
/* http_client.h - sends one POST and reads the answer; plain HTTP, for what is signed. Bounded in time and size. */
#ifndef CACHEWARDEN_HTTP_CLIENT_H
#define CACHEWARDEN_HTTP_CLIENT_H

#include "base/http.h"

#define HTTP_CLIENT_MS 15000
#define HTTP_ANSWER_MAX 65536

struct http_answer {
	struct http_response head;
	char body[HTTP_ANSWER_MAX]; /* with a NUL behind it */
	size_t len;
};

/*
 * Post to the path below "http://HOST:PORT[/PREFIX]". Returns 0 if there was an answer, of whatever status; or a negative errno:
 * -EINVAL if the URL is none of that form.
 */
int http_post(const char *url, const char *path, const char *body, size_t len,
	      struct http_answer *ret);

#endif
