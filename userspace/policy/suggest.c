// SPDX-License-Identifier: BSD-2-Clause
/*
 * suggest.c - see suggest.h. An event gets no proposal if something that its entry would need is not known for certain:
 * such an entry would never match, or match too much.
 */
#include "policy/suggest.h"

#include "policy/policy_key.h"
#include "policy/record.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VALUE_LEN 256 /* longest value of a policy */

/* An entry of allow or, if peer is set, of tls.plaintext. */
struct proposal {
	unsigned int rule;
	int64_t uid;
	char *exe, *unit, *instance, *peer;
	/* the events it stands for */
	uint64_t count;
	enum severity worst;
	int64_t first_ms, last_ms;
};

struct suggestion {
	struct proposal *all;
	size_t count;
	uint64_t events, without; /* alerts, and those of them without a proposal */
};

/* --- what to propose --- */

static bool fits(const char *value)
{
	size_t len = value ? strlen(value) : 0;

	for (size_t i = 0; i < len; i++) {
		if (iscntrl((unsigned char)value[i]))
			return false;
	}
	return len && len < VALUE_LEN;
}

static bool same(const char *a, const char *b)
{
	return !strcmp(a ?: "", b ?: "");
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* Policies call a server NAME:PORT; one without a port has no name that they accept. */
static const char *server_of(const struct record *r)
{
	return r->input.instance && strchr(r->input.instance, ':') ? r->input.instance : NULL;
}

/* Fill p with the record's own strings. False if no entry can be proposed. */
static bool propose(const struct record *r, struct proposal *p, char peer[INET6_ADDRSTRLEN])
{
	const struct policy_input *in = &r->input;
	bool wire = in->rule == RULE_TLS_PLAINTEXT || in->rule == RULE_TLS_LISTENER;
	bool mapped = !memcmp(r->peer, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

	*p = (struct proposal){.rule = in->rule, .uid = POLICY_UNSET};
	p->exe = (char *)(wire ? in->conn_owner : in->exe);
	if (!fits(p->exe) || p->exe[0] != '/')
		return false;
	if (wire) {
		p->rule = RULE_TLS_PLAINTEXT;
		p->peer = peer;
		return in->peer && inet_ntop(mapped ? AF_INET : AF_INET6,
					     r->peer + (mapped ? 12 : 0), peer, INET6_ADDRSTRLEN);
	}
	p->uid = in->uid;
	p->unit = (char *)record_text(r->actor, "unit");
	p->instance = (char *)server_of(r);
	return (!p->unit || fits(p->unit)) && (!p->instance || fits(p->instance));
}

static struct proposal *find(const struct suggestion *s, const struct proposal *like)
{
	for (size_t i = 0; i < s->count; i++) {
		struct proposal *p = &s->all[i];

		if (p->rule == like->rule && p->uid == like->uid && same(p->exe, like->exe) &&
		    same(p->unit, like->unit) && same(p->instance, like->instance) &&
		    same(p->peer, like->peer))
			return p;
	}
	return NULL;
}

static struct proposal *add(struct suggestion *s, const struct proposal *like)
{
	struct proposal *all, *p;

	if (s->count == POLICY_ENTRIES_MAX)
		return NULL;
	all = realloc(s->all, (s->count + 1) * sizeof(*all));
	if (!all)
		return NULL;
	s->all = all;
	p = &all[s->count++];
	*p = *like;
	p->exe = copy(like->exe);
	p->unit = copy(like->unit);
	p->instance = copy(like->instance);
	p->peer = copy(like->peer);
	return p;
}

/* Later lines about the same finding only update its count. */
static bool is_alert(const struct record *r)
{
	const char *verdict = record_text(r->own, "verdict");

	return !strcmp(verdict ?: "", verdict_name(VERDICT_ALERT)) &&
	       json_integer_value(json_object_get(r->line, "activity_id")) == 1;
}

static void take(void *ctx, const struct record *r)
{
	struct suggestion *s = ctx;
	char peer[INET6_ADDRSTRLEN];
	struct proposal wanted, *p;

	if (!is_alert(r))
		return;
	s->events++;
	p = propose(r, &wanted, peer) ? find(s, &wanted) ?: add(s, &wanted) : NULL;
	if (!p) {
		s->without++;
		return;
	}
	if (!p->count++ || r->time_ms < p->first_ms)
		p->first_ms = r->time_ms;
	if (r->time_ms > p->last_ms)
		p->last_ms = r->time_ms;
	if (r->input.severity > p->worst)
		p->worst = r->input.severity;
}

/* --- the policy --- */

/* A YAML scalar, quoted if necessary. */
static void put_value(FILE *to, const char *key, const char *value)
{
	size_t plain =
		strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			      "/._-");

	if (!value[plain] && value[0] != '-') {
		fprintf(to, "    %s: %s\n", key, value);
		return;
	}
	fprintf(to, "    %s: \"", key);
	for (; *value; value++)
		fprintf(to, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
	fprintf(to, "\"\n");
}

static void put_time(FILE *to, const char *before, int64_t ms)
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	char text[32];

	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", gmtime_r(&s, &tm));
	fprintf(to, "%s%s", before, text);
}

static void put_seen(FILE *to, const struct proposal *p)
{
	fprintf(to, "  # seen %" PRIu64 " time%s, at worst %s", p->count, p->count > 1 ? "s" : "",
		severity_name(p->worst));
	put_time(to, ", ", p->first_ms);
	if (p->last_ms / 1000 != p->first_ms / 1000)
		put_time(to, " to ", p->last_ms);
	fprintf(to, " UTC\n");
}

static void put_allow(FILE *to, const struct proposal *p)
{
	put_seen(to, p);
	fprintf(to, "  - rule: %s\n", rule_name(p->rule));
	put_value(to, "exe", p->exe);
	if (p->uid != POLICY_UNSET)
		fprintf(to, "    uid: %" PRId64 "\n", p->uid);
	if (p->unit)
		put_value(to, "unit", p->unit);
	if (p->instance)
		put_value(to, "instance", p->instance);
	fprintf(to, "    reason: # why it may, and who answers for it\n");
}

static void put_plaintext(FILE *to, const struct proposal *p)
{
	fprintf(to, "  ");
	put_seen(to, p);
	fprintf(to, "    - peer: \"%s\"\n  ", p->peer);
	put_value(to, "owner", p->exe);
}

static size_t count_of(const struct suggestion *s, bool plaintext)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		n += !s->all[i].peer == !plaintext;
	return n;
}

static void print(FILE *to, const struct suggestion *s)
{
	fprintf(to,
		"# Proposed by 'cachewarden policy suggest' for %" PRIu64 " of %" PRIu64
		" findings that were alerts.\n",
		s->events - s->without, s->events);
	if (s->without)
		fprintf(to,
			"# For the others nothing can be proposed: the executable, or who opened the "
			"connection, is not known for certain.\n");
	if (!s->events)
		fprintf(to, "# Events are recorded by 'cachewarden run --events --output json'.\n");
	if (s->count)
		fprintf(to,
			"# An attack that was seen is proposed as well: delete what you do not know. Give "
			"each entry that stays a\n"
			"# reason and, if it has one, an end (until: 2030-12-31). Then: cachewarden policy "
			"check FILE\n");
	if (count_of(s, true))
		fprintf(to, "tls:\n  plaintext:\n");
	for (size_t i = 0; i < s->count; i++) {
		if (s->all[i].peer)
			put_plaintext(to, &s->all[i]);
	}
	if (count_of(s, false))
		fprintf(to, "allow:\n");
	for (size_t i = 0; i < s->count; i++) {
		if (!s->all[i].peer)
			put_allow(to, &s->all[i]);
	}
}

bool suggest(const char *path, FILE *to, char *error, size_t size)
{
	struct suggestion s = {};
	bool ok = record_each(path, take, &s, error, size);

	if (ok)
		print(to, &s);
	for (size_t i = 0; i < s.count; i++) {
		free(s.all[i].exe);
		free(s.all[i].unit);
		free(s.all[i].instance);
		free(s.all[i].peer);
	}
	free(s.all);
	return ok;
}
