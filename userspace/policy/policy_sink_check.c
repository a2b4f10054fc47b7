// SPDX-License-Identifier: BSD-2-Clause
/* policy_sink_check.c - see policy_sink_check.h. A key without effect is refused: whoever wrote it expects one. */
#include "policy/policy_sink_check.h"

#include "base/macros.h"
#include "policy/policy_sink.h"

#include <stdio.h>
#include <string.h>

static const struct policy_key *sink_key(const struct policy_table *t, size_t at)
{
	return policy_table_at(t, policy_table_at(t, NULL, offsetof(struct policy, sink)), at);
}

static bool check_name(const struct policy_table *t, const struct policy *p, size_t n, char *error,
		       size_t size)
{
	const struct policy_sink *s = &p->sink[n], *first = p->sink;

	while (strcmp(first->name, s->name))
		first++;
	if (first == s)
		return true;
	snprintf(error, size, "%s:%u: %s: '%s' is already used at %s:%u; expected a unique name",
		 s->at.file, s->at.line, sink_key(t, offsetof(struct policy_sink, name))->path,
		 s->name, first->at.file, first->at.line);
	return false;
}

static bool check_tls(const struct policy_table *t, const struct policy_sink *s,
		      const struct policy_target *target, char *error, size_t size)
{
	static const size_t keys[] = {
		offsetof(struct policy_sink, ca),
		offsetof(struct policy_sink, cert),
		offsetof(struct policy_sink, key),
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys) && !policy_target_tls(target); i++) {
		const struct policy_key *k = sink_key(t, keys[i]);

		if (!policy_pointer(k, s))
			continue;
		snprintf(error, size,
			 "%s:%u: %s: means nothing here; expected it only for syslog and https://",
			 s->at.file, s->at.line, k->path);
		return false;
	}
	return true;
}

static bool check_pair(const struct policy_table *t, const struct policy_sink *s, char *error,
		       size_t size)
{
	const struct policy_key *cert = sink_key(t, offsetof(struct policy_sink, cert)),
				*key = sink_key(t, offsetof(struct policy_sink, key));

	if (!s->cert == !s->key)
		return true;
	snprintf(error, size, "%s:%u: %s: means nothing by itself; expected %s beside it",
		 s->at.file, s->at.line, (s->cert ? cert : key)->path,
		 policy_key_name(s->cert ? key : cert));
	return false;
}

static bool check_use(const struct policy_table *t, const struct policy_sink *s,
		      const struct policy_target *target, char *error, size_t size)
{
	const struct {
		size_t at;
		bool set;
		unsigned int kinds; /* 1 << enum policy_sink_kind */
		const char *only;
	} keys[] = {
		{offsetof(struct policy_sink, server_name), s->server_name, 1u << SINK_SYSLOG,
		 "syslog"},
		{offsetof(struct policy_sink, secret_file), s->secret_file,
		 1u << SINK_WEBHOOK | 1u << SINK_OTLP, "webhook and otlp"},
		{offsetof(struct policy_sink, templ), s->templ != TEMPLATE_NONE, 1u << SINK_WEBHOOK,
		 "webhook"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!keys[i].set || keys[i].kinds >> target->kind & 1)
			continue;
		snprintf(error, size, "%s:%u: %s: means nothing here; expected it only for %s",
			 s->at.file, s->at.line, sink_key(t, keys[i].at)->path, keys[i].only);
		return false;
	}
	return true;
}

/* PagerDuty knows its customer by the key; Slack by the URL. */
static bool check_template(const struct policy_table *t, const struct policy_sink *s, char *error,
			   size_t size)
{
	const struct policy_key *secret = sink_key(t, offsetof(struct policy_sink, secret_file)),
				*templ = sink_key(t, offsetof(struct policy_sink, templ));

	if (s->templ == TEMPLATE_PAGERDUTY && !s->secret_file)
		snprintf(error, size,
			 "%s:%u: %s: expected %s beside it, with the key of the integration",
			 s->at.file, s->at.line, templ->path, policy_key_name(secret));
	else if (s->templ == TEMPLATE_SLACK && s->secret_file)
		snprintf(error, size, "%s:%u: %s: means nothing here; expected another %s",
			 s->at.file, s->at.line, secret->path, policy_key_name(templ));
	else
		return true;
	return false;
}

bool policy_sinks_validate(const struct policy_table *t, const struct policy *p, char *error,
			   size_t size)
{
	for (size_t i = 0; i < p->sinks; i++) {
		const struct policy_sink *s = &p->sink[i];
		struct policy_target target;

		if (i == POLICY_SINKS_MAX) {
			snprintf(error, size, "%s:%u: too many sinks; expected at most %d",
				 s->at.file, s->at.line, POLICY_SINKS_MAX);
			return false;
		}
		if (!policy_target_parse(s->to, &target)) /* the reader has refused it */
			return false;
		if (!check_name(t, p, i, error, size) || !check_tls(t, s, &target, error, size) ||
		    !check_pair(t, s, error, size) || !check_use(t, s, &target, error, size) ||
		    !check_template(t, s, error, size))
			return false;
	}
	return true;
}
