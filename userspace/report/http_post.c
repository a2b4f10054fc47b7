// SPDX-License-Identifier: BSD-2-Clause
/* http_post.c - see http_post.h. No error message has the URL: it may hold a secret. */
#include "report/http_post.h"

#include "base/libssl.h"
#include "report/libcurl.h"
#include "report/tls_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS 5000
#define ANSWER_MAX 2048

struct http_post {
	char *url;
	SSL_CTX *
		tls; /* authorities and certificate, read while the process could; NULL: plain HTTP */
	CURL *curl;
	char error[CURL_ERROR_SIZE];
	char answer[ANSWER_MAX];
	size_t answered;
};

void http_post_free(struct http_post *h)
{
	if (!h)
		return;
	if (h->curl)
		libcurl.curl_easy_cleanup(h->curl);
	if (h->tls)
		libssl.SSL_CTX_free(h->tls);
	free(h->url);
	free(h);
}

static size_t take_answer(char *data, size_t size, size_t n, void *ctx)
{
	struct http_post *h = ctx;
	size_t len = size * n, room = sizeof(h->answer) - 1 - h->answered;

	if (len < room)
		room = len;
	memcpy(h->answer + h->answered, data, room);
	h->answered += room;
	h->answer[h->answered] = '\0';
	return len;
}

/* Give the context that libcurl made what ours has. */
static CURLcode use_files(CURL *curl, void *ctx, void *ours)
{
	STACK_OF(X509) *chain = NULL;

	libssl.SSL_CTX_set1_cert_store(ctx, libssl.SSL_CTX_get_cert_store(ours));
	if (!libssl.SSL_CTX_get0_certificate(ours))
		return CURLE_OK;
	libssl.SSL_CTX_ctrl(ours, SSL_CTRL_GET_CHAIN_CERTS, 0, &chain);
	return libssl.SSL_CTX_use_cert_and_key(ctx, libssl.SSL_CTX_get0_certificate(ours),
					       libssl.SSL_CTX_get0_privatekey(ours), chain, 1) == 1
		       ? CURLE_OK
		       : CURLE_SSL_CERTPROBLEM;
}

static bool set_up(struct http_post *h)
{
	CURL *c = h->curl;

	return c && !libcurl.curl_easy_setopt(c, CURLOPT_URL, h->url) &&
	       !libcurl.curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") &&
	       !libcurl.curl_easy_setopt(c, CURLOPT_POST, 1L) &&
	       !libcurl.curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) &&
	       !libcurl.curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)TRANSPORT_WAIT_MS) &&
	       !libcurl.curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) &&
	       !libcurl.curl_easy_setopt(c, CURLOPT_USERAGENT,
					 "cachewarden/" CACHEWARDEN_VERSION) &&
	       !libcurl.curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->error) &&
	       !libcurl.curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_answer) &&
	       !libcurl.curl_easy_setopt(c, CURLOPT_WRITEDATA, h) &&
	       !libcurl.curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
	       (!h->tls || (!libcurl.curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, h->tls) &&
			    !libcurl.curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, use_files)));
}

struct http_post *http_post_new(const struct policy_sink *config, const char *url,
				char error[TRANSPORT_ERROR_LEN])
{
	struct http_post *h = calloc(1, sizeof(*h));

	if (!libcurl_load()) {
		snprintf(error, TRANSPORT_ERROR_LEN, "libcurl 4 is not installed");
		goto fail;
	}
	snprintf(error, TRANSPORT_ERROR_LEN, "%s", strerror(ENOMEM));
	if (!h || libcurl.curl_global_init(CURL_GLOBAL_DEFAULT))
		goto fail;
	h->url = strdup(url);
	h->curl = libcurl.curl_easy_init();
	if (!strncmp(url, "https:", 6)) {
		h->tls = tls_client_context(config->ca, config->cert, config->key, error,
					    TRANSPORT_ERROR_LEN);
		if (!h->tls)
			goto fail;
	}
	if (h->url && set_up(h))
		return h;
	if (h->url && h->curl)
		snprintf(error, TRANSPORT_ERROR_LEN,
			 "libcurl is older than 7.85, or does not use OpenSSL");
fail:
	http_post_free(h);
	return NULL;
}

static enum sent evaluate(long status, char *error)
{
	if (status >= 200 && status < 300)
		return SENT;
	snprintf(error, TRANSPORT_ERROR_LEN, "the server answered with status %ld", status);
	return status == 400 || status == 413 || status == 415 || status == 422 ? SENT_REFUSED
										: SENT_LATER;
}

enum sent http_post_send(struct http_post *h, const char *const *headers, size_t n,
			 const char *body, size_t len, char error[TRANSPORT_ERROR_LEN])
{
	struct curl_slist *list = libcurl.curl_slist_append(NULL, "Content-Type: application/json"),
			  *more;
	CURLcode code = CURLE_OUT_OF_MEMORY;
	bool complete = list;
	long status = 0;

	for (size_t i = 0; i < n && complete; i++) {
		more = libcurl.curl_slist_append(list, headers[i]);
		complete = more;
		list = more ?: list;
	}
	h->error[0] = '\0';
	h->answer[0] = '\0';
	h->answered = 0;
	if (complete && !libcurl.curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, list) &&
	    !libcurl.curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE, (long)len) &&
	    !libcurl.curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, body))
		code = libcurl.curl_easy_perform(h->curl);
	libcurl.curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, NULL);
	libcurl.curl_slist_free_all(list);
	if (code != CURLE_OK) {
		snprintf(error, TRANSPORT_ERROR_LEN, "%s",
			 h->error[0] ? h->error : libcurl.curl_easy_strerror(code));
		return SENT_LATER;
	}
	libcurl.curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	return evaluate(status, error);
}

const char *http_post_answer(const struct http_post *h)
{
	return h->answer;
}
