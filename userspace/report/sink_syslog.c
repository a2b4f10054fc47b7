// SPDX-License-Identifier: BSD-2-Clause
/*
 * sink_syslog.c - RFC 5424 messages over TLS (RFC 5425): octet counting, the server's certificate and name checked, and a
 * client certificate where the server demands one. The message is the JSON, with the facts that rules of a receiver
 * look at as structured data before it.
 *
 * The protocol acknowledges nothing. What the server's host has not acknowledged when a connection breaks is sent again;
 * what it has, but the server never read, is lost.
 */
#include "base/clock.h"
#include "report/transport.h"

#include "report/notice.h"
#include "report/tls_client.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#define FACILITY 10		  /* security and authorization */
#define SD_ID "cachewarden@32473" /* the number that RFC 5612 reserves for whoever has none */
#define BOM "\xef\xbb\xbf"
#define UNACKED_MAX (1u << 20) /* bytes; more than a socket's buffer is not worth keeping */

struct frame {
	STAILQ_ENTRY(frame) next;
	uint64_t end; /* of it, in the bytes written to the connection */
	size_t len;
	char text[];
};

STAILQ_HEAD(frames, frame);

struct syslog {
	struct tls_client *tls;
	struct frames unacked; /* in the order in which they were sent */
	size_t bytes;
};

static void forget(struct syslog *s)
{
	struct frame *f = STAILQ_FIRST(&s->unacked);

	STAILQ_REMOVE_HEAD(&s->unacked, next);
	s->bytes -= f->len;
	free(f);
}

static void syslog_free(void *state)
{
	struct syslog *s = state;

	while (!STAILQ_EMPTY(&s->unacked))
		forget(s);
	tls_client_free(s->tls);
	free(s);
}

static bool syslog_open(const struct policy_sink *config, const struct policy_target *target,
			void **ret_state, char error[TRANSPORT_ERROR_LEN])
{
	struct syslog *s = calloc(1, sizeof(*s));
	const struct tls_client_config tls = {
		.address = target->rest,
		.server_name = config->server_name,
		.ca = config->ca,
		.cert = config->cert,
		.key = config->key,
		.wait_ms = TRANSPORT_WAIT_MS,
	};

	if (!s) {
		snprintf(error, TRANSPORT_ERROR_LEN, "%s", strerror(ENOMEM));
		return false;
	}
	STAILQ_INIT(&s->unacked);
	s->tls = tls_client_new(&tls, error, TRANSPORT_ERROR_LEN);
	if (!s->tls) {
		free(s);
		return false;
	}
	*ret_state = s;
	return true;
}

/* --- a message --- */

/* A word of the header: printable ASCII without spaces, or a dash. */
static void put_word(FILE *f, const char *word, size_t max)
{
	fputc(' ', f);
	if (!word)
		fputc('-', f);
	for (size_t i = 0; word && word[i] && i < max; i++)
		fputc(isgraph((unsigned char)word[i]) ? word[i] : '?', f);
}

static void put_time(FILE *f, int64_t ms)
{
	char text[CLOCK_UTC_LEN];

	clock_text_utc(ms, text);
	fprintf(f, " %s", text);
}

static void put_param(FILE *f, const char *name, const char *value)
{
	fprintf(f, " %s=\"", name);
	for (const char *c = value; *c; c++) {
		if (strchr("\"\\]", *c))
			fputc('\\', f);
		fputc((unsigned char)*c < 0x20 ? '?' : *c, f);
	}
	fputc('"', f);
}

/* Returns the message, to be freed; NULL if memory ran out. */
static char *make_message(const struct notice *n, const char *json, size_t len, size_t *ret_len)
{
	char *message = NULL;
	FILE *f = open_memstream(&message, ret_len);

	if (!f)
		return NULL;
	fprintf(f, "<%u>1", FACILITY * 8 + notice_priority(n));
	put_time(f, n->time_ms);
	put_word(f, n->text[NOTICE_HOST], 255);
	put_word(f, "cachewarden", 48);
	put_word(f, NULL, 128); /* the process that sends this is not the monitor */
	put_word(f, n->text[NOTICE_RULE] ?: n->text[NOTICE_KIND], 32);
	fputs(" [" SD_ID, f);
	put_param(f, "title", n->title);
	for (unsigned int i = 0; i < NOTICE_MAX; i++) {
		if (n->text[i])
			put_param(f, notice_field_name(i), n->text[i]);
	}
	fputs("] " BOM, f);
	fwrite(json, 1, len - (len && json[len - 1] == '\n'), f);
	if (fclose(f)) {
		free(message);
		return NULL;
	}
	return message;
}

/* With its length before it. NULL if memory ran out. */
static struct frame *make_frame(const struct notice *n, const char *json, size_t len)
{
	size_t size = 0, head;
	char *message = make_message(n, json, len, &size), number[24];
	struct frame *f = NULL;

	head = (size_t)snprintf(number, sizeof(number), "%zu ", size);
	if (message)
		f = malloc(sizeof(*f) + head + size);
	if (f) {
		*f = (struct frame){.len = head + size};
		memcpy(f->text, number, head);
		memcpy(f->text + head, message, size);
	}
	free(message);
	return f;
}

/* --- sending it --- */

/* Forget what the server's host has acknowledged, and what is too much to keep. */
static void prune(struct syslog *s)
{
	uint64_t acked = tls_client_acked(s->tls);
	struct frame *f;

	while ((f = STAILQ_FIRST(&s->unacked)) && (f->end <= acked || s->bytes > UNACKED_MAX))
		forget(s);
}

static bool write_frame(struct syslog *s, struct frame *f, char *error)
{
	if (!tls_client_write(s->tls, f->text, f->len, error, TRANSPORT_ERROR_LEN))
		return false;
	f->end = tls_client_written(s->tls);
	return true;
}

/* Connect if there is no connection, and send again what the last one may have lost. */
static bool connect_and_repeat(struct syslog *s, char *error)
{
	bool connected = tls_client_connected(s->tls);
	struct frame *f;

	prune(s);
	if (connected)
		return true;
	STAILQ_FOREACH(f, &s->unacked, next)
	f->end = UINT64_MAX; /* not yet in the new connection */
	if (!tls_client_connect(s->tls, error, TRANSPORT_ERROR_LEN))
		return false;
	STAILQ_FOREACH(f, &s->unacked, next)
	{
		if (!write_frame(s, f, error))
			return false;
	}
	return true;
}

static enum sent syslog_send(void *state, const char *json, size_t len,
			     char error[TRANSPORT_ERROR_LEN])
{
	struct syslog *s = state;
	struct frame *f = NULL;
	struct notice n;
	bool ours = notice_parse(&n, json, len);

	snprintf(error, TRANSPORT_ERROR_LEN, "%s", strerror(ours ? ENOMEM : EBADMSG));
	if (ours)
		f = make_frame(&n, json, len);
	notice_free(&n);
	if (!ours)
		return SENT_REFUSED;
	if (!f || !connect_and_repeat(s, error) || !write_frame(s, f, error)) {
		free(f);
		return SENT_LATER;
	}
	STAILQ_INSERT_TAIL(&s->unacked, f, next);
	s->bytes += f->len;
	prune(s);
	return SENT;
}

/* A connection that broke after the last message was sent. */
static bool syslog_tick(void *state, char error[TRANSPORT_ERROR_LEN])
{
	struct syslog *s = state;

	return STAILQ_EMPTY(&s->unacked) || connect_and_repeat(s, error);
}

const struct transport transport_syslog = {
	.open = syslog_open,
	.free = syslog_free,
	.send = syslog_send,
	.tick = syslog_tick,
};
