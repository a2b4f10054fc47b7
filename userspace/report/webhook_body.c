// SPDX-License-Identifier: BSD-2-Clause
/* webhook_body.c - see webhook_body.h. */
#include "report/webhook_body.h"

#include "base/macros.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Slack's own markup begins with these; the rest of a name is shown as it is. */
static void put_escaped(FILE *f, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		default:
			fputc(*text, f);
		}
	}
}

static json_t *slack(const struct notice *n, const char *secret)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	json_t *body;

	if (!f)
		return NULL;
	fprintf(f, "*%s* ", n->closed ? "over" : severity_name(n->severity) ?: "");
	put_escaped(f, n->title);
	if (n->text[NOTICE_HOST]) {
		fputs(" on ", f);
		put_escaped(f, n->text[NOTICE_HOST]);
	}
	if (n->advice && !n->closed) {
		fputc('\n', f);
		put_escaped(f, n->advice);
	}
	body = fclose(f) ? NULL : json_pack("{s:s}", "text", text);
	free(text);
	return body;
}

/* Events API v2. The secret is the integration's key. */
static json_t *pagerduty(const struct notice *n, const char *secret)
{
	static const char *const severities[] = {
		[SEVERITY_INFO] = "info",	  [SEVERITY_LOW] = "info",
		[SEVERITY_MEDIUM] = "warning",	  [SEVERITY_HIGH] = "error",
		[SEVERITY_CRITICAL] = "critical",
	};
	_Static_assert(ARRAY_SIZE(severities) == SEVERITY_MAX, "every severity has its word");
	json_t *details = json_object();

	for (unsigned int i = 0; i < NOTICE_MAX; i++) {
		if (n->text[i])
			json_object_set_new(details, notice_field_name(i), json_string(n->text[i]));
	}
	if (n->advice)
		json_object_set_new(details, "advice", json_string(n->advice));
	return json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s*, s:s*, s:o}}", "routing_key",
			 secret, "event_action", n->closed ? "resolve" : "trigger", "dedup_key",
			 n->text[NOTICE_ID], "payload", "summary", n->title, "source",
			 n->text[NOTICE_HOST] ?: "unknown", "severity",
			 severity_name(n->severity) ? severities[n->severity] : "error",
			 "component", n->text[NOTICE_INSTANCE], "class", n->text[NOTICE_RULE],
			 "custom_details", details);
}

char *webhook_body(enum policy_template templ, const struct notice *n, const char *secret)
{
	static json_t *(*const make[])(const struct notice *n, const char *secret) = {
		[TEMPLATE_SLACK] = slack,
		[TEMPLATE_PAGERDUTY] = pagerduty,
	};
	_Static_assert(ARRAY_SIZE(make) == TEMPLATE_MAX, "every template has its function");
	json_t *body = make[templ](n, secret);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	json_decref(body);
	return text;
}

/* --- what people want to hear --- */

/* Its place, k->count if it is not known. */
static size_t find(const struct webhook_known *k, const char *id)
{
	size_t i = 0;

	while (i < k->count && strcmp(k->incident[i].id, id))
		i++;
	return i;
}

bool webhook_wanted(const struct webhook_known *k, const struct notice *n)
{
	const char *rule = n->text[NOTICE_RULE];
	size_t i = find(k, n->text[NOTICE_ID]);

	if (n->heartbeat)
		return false;
	if (strcmp(n->text[NOTICE_KIND], "incident"))
		return rule && !strcmp(rule, "self-blind") &&
		       !strcmp(n->text[NOTICE_ACTIVITY], "Create");
	return i == k->count || n->closed || n->severity > k->incident[i].severity;
}

void webhook_told(struct webhook_known *k, const struct notice *n)
{
	size_t i = find(k, n->text[NOTICE_ID]);

	if (strcmp(n->text[NOTICE_KIND], "incident"))
		return;
	if (n->closed) {
		if (i < k->count) /* the first is the oldest */
			memmove(k->incident + i, k->incident + i + 1,
				(--k->count - i) * sizeof(k->incident[0]));
		return;
	}
	if (i == WEBHOOK_KNOWN_MAX) { /* the oldest is told of once more */
		memmove(k->incident, k->incident + 1, sizeof(k->incident) - sizeof(k->incident[0]));
		i = --k->count;
	}
	k->count += i == k->count;
	snprintf(k->incident[i].id, sizeof(k->incident[i].id), "%s", n->text[NOTICE_ID]);
	k->incident[i].severity = n->severity;
}
