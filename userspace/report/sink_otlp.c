// SPDX-License-Identifier: BSD-2-Clause
/*
 * sink_otlp.c - OpenTelemetry: each message is a log record in a request of its own, by OTLP/HTTP with JSON (specification of OTLP
 * 1.x, "OTLP/HTTP" and "JSON Protobuf Encoding": 64-bit numbers are texts, enumerations numbers). Attributes carry the facts
 * that a query selects by; `log.record.original` is the message as it is.
 */
#include "report/http_post.h"

#include "base/clock.h"
#include "base/secret.h"
#include "report/notice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH "/v1/logs"
#define SECRET_MAX 512

struct otlp {
	struct http_post *http;
	char authorization[SECRET_MAX + 32]; /* a header; empty: none */
};

static void otlp_free(void *state)
{
	struct otlp *o = state;

	http_post_free(o->http);
	explicit_bzero(o->authorization, sizeof(o->authorization));
	free(o);
}

/* The header from the file's first line. */
static bool take_secret(struct otlp *o, const char *path, char *error)
{
	char secret[SECRET_MAX];
	bool ok = !secret_read_line(path, secret, sizeof(secret), error, TRANSPORT_ERROR_LEN);

	if (ok)
		snprintf(o->authorization, sizeof(o->authorization), "Authorization: Bearer %s",
			 secret);
	explicit_bzero(secret, sizeof(secret));
	return ok;
}

static bool otlp_open(const struct policy_sink *config, const struct policy_target *target,
		      void **ret_state, char error[TRANSPORT_ERROR_LEN])
{
	struct otlp *o = calloc(1, sizeof(*o));
	size_t len = strlen(target->rest);
	char url[512];

	if (!o) {
		snprintf(error, TRANSPORT_ERROR_LEN, "%s", strerror(ENOMEM));
		return false;
	}
	while (len && target->rest[len - 1] == '/')
		len--;
	snprintf(url, sizeof(url), "%.*s" PATH, (int)len, target->rest);
	if (!config->secret_file || take_secret(o, config->secret_file, error))
		o->http = http_post_new(config, url, error);
	if (!o->http) {
		otlp_free(o);
		return false;
	}
	*ret_state = o;
	return true;
}

/* --- a request --- */

static void add_attribute(json_t *to, const char *key, const char *value)
{
	if (value)
		json_array_append_new(
			to, json_pack("{s:s, s:{s:s}}", "key", key, "value", "stringValue", value));
}

/* Of data model "Log and Event Record", SeverityNumber: the first of each of its ranges. */
static int severity_number(enum severity s)
{
	static const int numbers[] = {
		[SEVERITY_INFO] = 9,  [SEVERITY_LOW] = 10,	[SEVERITY_MEDIUM] = 13,
		[SEVERITY_HIGH] = 17, [SEVERITY_CRITICAL] = 21,
	};

	return severity_name(s) ? numbers[s] : numbers[SEVERITY_INFO];
}

static json_t *nanoseconds(int64_t ms)
{
	return json_sprintf("%" PRId64 "000000", ms);
}

static json_t *record(const struct notice *n, const char *json, size_t len)
{
	json_t *attributes = json_array();
	char key[64];

	for (unsigned int f = 0; f < NOTICE_HOST; f++) {
		snprintf(key, sizeof(key), "cachewarden.%s", notice_field_name(f));
		add_attribute(attributes, key, n->text[f]);
	}
	json_array_append_new(attributes, json_pack("{s:s, s:{s:s%}}", "key", "log.record.original",
						    "value", "stringValue", json, len));
	return json_pack("{s:o, s:o, s:i, s:s, s:{s:s}, s:o}", "timeUnixNano",
			 nanoseconds(n->time_ms), "observedTimeUnixNano",
			 nanoseconds(clock_epoch_ms(clock_boot_ns())), "severityNumber",
			 severity_number(n->severity), "severityText",
			 severity_name(n->severity) ?: "info", "body", "stringValue", n->title,
			 "attributes", attributes);
}

/* Returns the request, to be freed; NULL if memory ran out. */
static char *make_request(const struct notice *n, const char *json, size_t len)
{
	json_t *resource = json_array(), *all;
	char *text;

	add_attribute(resource, "service.name", "cachewarden");
	add_attribute(resource, "service.version", CACHEWARDEN_VERSION);
	add_attribute(resource, "host.name", n->text[NOTICE_HOST]);
	all = json_pack("{s:[{s:{s:o}, s:[{s:{s:s}, s:[o]}]}]}", "resourceLogs", "resource",
			"attributes", resource, "scopeLogs", "scope", "name", "cachewarden",
			"logRecords", record(n, json, len));
	text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	return text;
}

/* An answer may be "200 OK" and say that the record was rejected. */
static bool rejected(const struct otlp *o, char *error)
{
	json_t *answer = json_loads(http_post_answer(o->http), 0, NULL),
	       *partial = json_object_get(answer, "partialSuccess"),
	       *count = json_object_get(partial, "rejectedLogRecords");
	const char *why = json_string_value(json_object_get(partial, "errorMessage"));
	bool is = json_integer_value(count) > 0 ||
		  (json_is_string(count) && strcmp(json_string_value(count), "0") != 0);

	if (is)
		snprintf(error, TRANSPORT_ERROR_LEN, "the server rejected the record: %.180s",
			 why ?: "it does not say why");
	json_decref(answer);
	return is;
}

static enum sent post(struct otlp *o, const struct notice *n, const char *json, size_t len,
		      char *error)
{
	const char *const header = o->authorization;
	char *request = make_request(n, json, len);
	enum sent sent = SENT_LATER;

	if (request)
		sent = http_post_send(o->http, &header, header[0] != '\0', request, strlen(request),
				      error);
	else
		snprintf(error, TRANSPORT_ERROR_LEN, "%s", strerror(ENOMEM));
	free(request);
	return sent == SENT && rejected(o, error) ? SENT_REFUSED : sent;
}

static enum sent otlp_send(void *state, const char *json, size_t len,
			   char error[TRANSPORT_ERROR_LEN])
{
	enum sent sent = SENT_REFUSED;
	struct notice n;

	if (notice_parse(&n, json, len))
		sent = post(state, &n, json, len - (len && json[len - 1] == '\n'), error);
	else
		snprintf(error, TRANSPORT_ERROR_LEN, "%s", strerror(EBADMSG));
	notice_free(&n);
	return sent;
}

const struct transport transport_otlp = {
	.open = otlp_open,
	.free = otlp_free,
	.send = otlp_send,
};
