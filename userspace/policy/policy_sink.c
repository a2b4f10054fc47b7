// SPDX-License-Identifier: BSD-2-Clause
/* policy_sink.c - see policy_sink.h. */
#include "policy/policy_sink.h"

#include "base/macros.h"

#include <ctype.h>
#include <string.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define PORT_MAX 65535

struct kind {
	const char *name;
	bool (*valid)(const char *rest);
	const char *preset; /* the rest, where it may be left out */
};

/* --- what follows the colon --- */

static bool is_path(const char *rest)
{
	return rest[0] == '/' && rest[1] && rest[strlen(rest) - 1] != '/';
}

static bool is_port(const char *text, size_t len)
{
	unsigned int port = 0;

	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]) || port > PORT_MAX)
			return false;
		port = 10 * port + (unsigned int)(text[i] - '0');
	}
	return port && port <= PORT_MAX;
}

/* HOST:PORT or [IPV6]:PORT in the first len bytes. The port may be left out if port_needed is not set. */
static bool is_host_port(const char *text, size_t len, bool port_needed)
{
	const char *end = text[0] == '[' ? memchr(text, ']', len) : memchr(text, ':', len);
	size_t host = end ? (size_t)(end - text) + (*end == ']') : len;

	if (text[0] == '[' ? !end || host < 4 : !host || memchr(text, '@', host))
		return false;
	if (host == len)
		return !port_needed;
	return text[host] == ':' && is_port(text + host + 1, len - host - 1);
}

static bool is_address(const char *rest)
{
	return !strpbrk(rest, " /@") && is_host_port(rest, strlen(rest), true);
}

/* With a name and password in it, an URL would be shown where it must not be. */
static bool is_url(const char *rest)
{
	size_t scheme = !strncmp(rest, "https://", 8) ? 8 : !strncmp(rest, "http://", 7) ? 7 : 0;

	return scheme && !strpbrk(rest, " #\"<>\\") &&
	       is_host_port(rest + scheme, strcspn(rest + scheme, "/?"), false);
}

static const struct kind kinds[] = {
	[SINK_FILE] = {"file", is_path},
	[SINK_JOURNALD] = {"journald", is_path, JOURNAL_SOCKET},
	[SINK_SYSLOG] = {"syslog", is_address},
	[SINK_WEBHOOK] = {"webhook", is_url},
	[SINK_ALERTMANAGER] = {"alertmanager", is_url},
	[SINK_OTLP] = {"otlp", is_url},
};
_Static_assert(ARRAY_SIZE(kinds) == SINK_KIND_MAX, "every kind has a row");

const char *policy_sink_kind_name(enum policy_sink_kind kind)
{
	return kinds[kind].name;
}

bool policy_target_parse(const char *text, struct policy_target *ret)
{
	size_t len = strcspn(text, ":");

	for (unsigned int k = 0; k < SINK_KIND_MAX; k++) {
		if (strlen(kinds[k].name) != len || strncmp(kinds[k].name, text, len))
			continue;
		*ret = (struct policy_target){k, text + len + (text[len] == ':')};
		if (!text[len] && kinds[k].preset)
			ret->rest = kinds[k].preset;
		return kinds[k].valid(ret->rest);
	}
	return false;
}

bool policy_target_tls(const struct policy_target *t)
{
	return t->kind == SINK_SYSLOG || !strncmp(t->rest, "https://", 8);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_sink(const struct policy_sink *a, const struct policy_sink *b)
{
	return same_text(a->name, b->name) && same_text(a->to, b->to) && same_text(a->ca, b->ca) &&
	       same_text(a->cert, b->cert) && same_text(a->key, b->key) &&
	       same_text(a->server_name, b->server_name) &&
	       same_text(a->secret_file, b->secret_file) && a->severity == b->severity &&
	       a->templ == b->templ;
}

bool policy_sinks_equal(const struct policy *a, const struct policy *b)
{
	for (size_t i = 0; i < a->sinks && i < b->sinks; i++) {
		if (!same_sink(&a->sink[i], &b->sink[i]))
			return false;
	}
	return a->sinks == b->sinks;
}
