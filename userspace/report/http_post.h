/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_post.h - sends JSON to one URL, for transports that speak HTTP. Connections are kept; redirects are not followed,
 * so that nothing goes where the policy does not say.
 */
#ifndef CACHEWARDEN_HTTP_POST_H
#define CACHEWARDEN_HTTP_POST_H

#include "report/transport.h"

struct http_post;

/* Reads certificates; see transport.open. url is copied. */
struct http_post *http_post_new(const struct policy_sink *config, const char *url,
				char error[TRANSPORT_ERROR_LEN]);
void http_post_free(struct http_post *h);

/*
 * headers: complete lines, besides Content-Type. An answer that says the body is wrong is SENT_REFUSED, every other that
 * is not 2xx is SENT_LATER: what is wrong with the server or the policy can be mended.
 */
enum sent http_post_send(struct http_post *h, const char *const *headers, size_t n,
			 const char *body, size_t len, char error[TRANSPORT_ERROR_LEN]);

/* The body of the last answer, or its begin. "" if there was none. */
const char *http_post_answer(const struct http_post *h);

#endif
