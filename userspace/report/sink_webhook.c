// SPDX-License-Identifier: BSD-2-Clause
/*
 * sink_webhook.c - a POST of JSON for each message. With a shared secret, a signature over the time and the body shows the
 * receiver that it comes from here, is unchanged, and is not an old one played again.
 */
#include "report/http_post.h"

#include "base/clock.h"
#include "base/macros.h"
#include "base/secret.h"
#include "report/webhook_body.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MAX 512
#define DIGEST_BYTES 32

struct webhook {
	struct http_post *http;
	enum policy_template templ;
	struct webhook_known known;
	char secret[SECRET_MAX]; /* empty: none */
};

static void webhook_free(void *state)
{
	struct webhook *w = state;

	http_post_free(w->http);
	explicit_bzero(w->secret, sizeof(w->secret));
	free(w);
}

static bool webhook_open(const struct policy_sink *config, const struct policy_target *target,
			 void **ret_state, char error[TRANSPORT_ERROR_LEN])
{
	struct webhook *w = calloc(1, sizeof(*w));

	if (!w) {
		snprintf(error, TRANSPORT_ERROR_LEN, "%s", strerror(ENOMEM));
		return false;
	}
	w->templ = (enum policy_template)config->templ;
	if (!config->secret_file ||
	    !secret_read_line(config->secret_file, w->secret, sizeof(w->secret), error,
			      TRANSPORT_ERROR_LEN))
		w->http = http_post_new(config, target->rest, error);
	if (!w->http) {
		webhook_free(w);
		return false;
	}
	*ret_state = w;
	return true;
}

/* The headers with time and signature. Returns false if memory ran out. */
static bool sign(const struct webhook *w, const char *body, size_t len, char time[64],
		 char signature[128])
{
	int64_t now = clock_epoch_ms(clock_boot_ns()) / 1000;
	unsigned char digest[DIGEST_BYTES];
	char *text = NULL;
	size_t size = 0, used;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return false;
	fprintf(f, "%" PRId64 ".", now);
	fwrite(body, 1, len, f);
	if (fclose(f) || !HMAC(EVP_sha256(), w->secret, (int)strlen(w->secret),
			       (const unsigned char *)text, size, digest, NULL)) {
		free(text);
		return false;
	}
	free(text);
	snprintf(time, 64, "X-Cachewarden-Timestamp: %" PRId64, now);
	used = (size_t)snprintf(signature, 128, "X-Cachewarden-Signature: sha256=");
	for (size_t i = 0; i < sizeof(digest); i++)
		used += (size_t)snprintf(signature + used, 128 - used, "%02x", digest[i]);
	return true;
}

static enum sent fail(char error[TRANSPORT_ERROR_LEN], int err)
{
	snprintf(error, TRANSPORT_ERROR_LEN, "%s", strerror(err));
	return err == EBADMSG ? SENT_REFUSED : SENT_LATER;
}

static enum sent send_as_it_is(struct webhook *w, const char *json, size_t len, char *error)
{
	char time[64], signature[128];
	const char *const headers[] = {time, signature};

	if (!w->secret[0])
		return http_post_send(w->http, NULL, 0, json, len, error);
	if (!sign(w, json, len, time, signature))
		return fail(error, ENOMEM);
	return http_post_send(w->http, headers, ARRAY_SIZE(headers), json, len, error);
}

static enum sent send_notice(struct webhook *w, const struct notice *n, char *error)
{
	enum sent sent;
	char *body;

	if (!webhook_wanted(&w->known, n))
		return SENT;
	body = webhook_body(w->templ, n, w->secret);
	if (!body)
		return fail(error, ENOMEM);
	sent = http_post_send(w->http, NULL, 0, body, strlen(body), error);
	if (sent == SENT)
		webhook_told(&w->known, n);
	free(body);
	return sent;
}

static enum sent webhook_send(void *state, const char *json, size_t len,
			      char error[TRANSPORT_ERROR_LEN])
{
	struct webhook *w = state;
	struct notice n;
	enum sent sent;

	if (w->templ == TEMPLATE_NONE)
		return send_as_it_is(w, json, len - (len && json[len - 1] == '\n'), error);
	sent = notice_parse(&n, json, len) ? send_notice(w, &n, error) : fail(error, EBADMSG);
	notice_free(&n);
	return sent;
}

const struct transport transport_webhook = {
	.open = webhook_open,
	.free = webhook_free,
	.send = webhook_send,
};
