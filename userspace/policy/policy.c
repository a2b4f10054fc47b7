// SPDX-License-Identifier: BSD-2-Clause
/* policy.c - see policy.h. What cannot be known never matches an allowance: in doubt it is an alert. */
#include "policy/policy.h"

#include "base/str.h"
#include "model/tls_suite.h"

#include "policy/policy_key.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_ROOM 256
#define CONTAINER_ID 64 /* hex digits */

void policy_init(struct policy *p)
{
	*p = (struct policy){.tls.minimum = 0x0303, .quiet_s = POLICY_QUIET_S};
}

void policy_free(struct policy *p)
{
	for (size_t i = 0; i < p->instances; i++) {
		struct policy_instance *in = &p->instance[i];

		free(in->name);
		free(in->exe);
		free(in->unit);
		free(in->cgroup);
		free(in->container);
	}
	for (size_t i = 0; i < p->allows; i++) {
		struct policy_allow *a = &p->allow[i];

		free(a->exe);
		free(a->sha256);
		free(a->unit);
		free(a->ancestor);
		free(a->instance);
		free(a->reason);
	}
	for (size_t i = 0; i < p->tls.ciphers; i++)
		free(p->tls.cipher[i]);
	for (size_t i = 0; i < p->tls.plaintexts; i++)
		free(p->tls.plaintext[i].owner);
	for (size_t i = 0; i < p->files; i++)
		free(p->file[i]);
	free(p->instance);
	free(p->allow);
	free(p->tls.cipher);
	free(p->tls.plaintext);
	free(p->file);
	policy_init(p);
}

const char *verdict_name(enum verdict_id id)
{
	static const char *const names[] = {
		[VERDICT_OFF] = "off",
		[VERDICT_OBSERVED] = "observed",
		[VERDICT_ALLOWED] = "allowed",
		[VERDICT_ALERT] = "alert",
		[VERDICT_PREVENTED] = "prevented",
	};

	return names[id];
}

bool policy_cidr_holds(const struct policy_cidr *c, const uint8_t ip[16])
{
	for (unsigned int i = 0; i < 16 && i * 8 < c->bits; i++) {
		unsigned int left = c->bits - i * 8;
		uint8_t mask = left >= 8 ? 0xff : (uint8_t)(0xff << (8 - left));

		if ((c->ip[i] ^ ip[i]) & mask)
			return false;
	}
	return true;
}

/* --- units and containers --- */

void policy_unit(const char *cgroup, char *buf, size_t size)
{
	buf[0] = '\0';
	for (const char *p = cgroup; p && *p;) {
		size_t len = strcspn(p, "/");

		/* the innermost: a user's own service stands below user@1000.service */
		if (str_ends_with_n(p, len, ".service") || str_ends_with_n(p, len, ".scope"))
			snprintf(buf, size, "%.*s", (int)len, p);
		p += len + (p[len] == '/');
	}
}

void policy_container(const char *cgroup, char *buf, size_t size)
{
	size_t run = 0;

	buf[0] = '\0';
	for (const char *p = cgroup; p && *p; p++) {
		run = isxdigit((unsigned char)*p) ? run + 1 : 0;
		if (run == CONTAINER_ID && !isxdigit((unsigned char)p[1]))
			snprintf(buf, size, "%.*s", CONTAINER_ID, p + 1 - CONTAINER_ID);
	}
}

/* --- which instance --- */

static bool fits(const char *pattern, const char *text)
{
	return !pattern || (text && !fnmatch(pattern, text, 0));
}

static bool has_port(const struct policy_input *s, int64_t port)
{
	for (size_t i = 0; i < s->ports; i++) {
		if (s->port[i] == port)
			return true;
	}
	return false;
}

static bool matches_all(const struct policy_instance *in)
{
	return !in->exe && !in->unit && !in->cgroup && !in->container && in->port == POLICY_UNSET;
}

static bool instance_matches(const struct policy_instance *in, const struct policy_input *s)
{
	char unit[NAME_ROOM], container[NAME_ROOM];

	policy_unit(s->instance_cgroup, unit, sizeof(unit));
	policy_container(s->instance_cgroup, container, sizeof(container));
	return fits(in->exe, s->instance_exe) && fits(in->cgroup, s->instance_cgroup) &&
	       fits(in->unit, unit) && fits(in->container, container) &&
	       (in->port == POLICY_UNSET || has_port(s, in->port));
}

static int64_t mode_of(const struct policy *p, const struct policy_input *s, unsigned int rule)
{
	for (size_t i = 0; i < p->instances; i++) {
		if (p->instance[i].mode[rule] != POLICY_UNSET &&
		    instance_matches(&p->instance[i], s))
			return p->instance[i].mode[rule];
	}
	return POLICY_UNSET;
}

static enum severity severity_of(const struct policy *p, const struct policy_input *s)
{
	for (size_t i = 0; i < p->instances; i++) {
		int64_t severity = p->instance[i].severity[s->rule];

		if (severity != POLICY_UNSET && instance_matches(&p->instance[i], s))
			return (enum severity)severity;
	}
	return s->severity;
}

/* An instance is called what its entry says, and what alerts call it. */
static bool is_called(const struct policy *p, const struct policy_input *s, const char *name)
{
	if (s->instance && !strcmp(s->instance, name))
		return true;
	for (size_t i = 0; i < p->instances; i++) {
		if (!strcmp(p->instance[i].name, name))
			return instance_matches(&p->instance[i], s);
	}
	return false;
}

uint32_t policy_prevents(const struct policy *p, const struct policy_input *s, uint32_t otherwise)
{
	uint32_t rules = 0;

	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		int64_t mode = mode_of(p, s, r);

		if (POLICY_PREVENTABLE >> r & 1 &&
		    (mode == MODE_PREVENT || (mode == POLICY_UNSET && otherwise >> r & 1)))
			rules |= 1u << r;
	}
	return rules;
}

uint32_t policy_prevents_any(const struct policy *p, uint32_t otherwise)
{
	uint32_t rules = otherwise;

	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		for (size_t i = 0; i < p->instances; i++) {
			const struct policy_instance *in = &p->instance[i];

			if (!matches_all(in) || in->mode[r] == POLICY_UNSET)
				continue;
			rules &= ~(1u << r);
			if (in->mode[r] == MODE_PREVENT)
				rules |= 1u << r;
			break;
		}
	}
	return rules;
}

bool policy_prevents_some(const struct policy *p)
{
	for (size_t i = 0; i < p->instances; i++) {
		for (unsigned int r = 0; r < RULE_MAX; r++) {
			if (p->instance[i].mode[r] == MODE_PREVENT)
				return true;
		}
	}
	return false;
}

/* --- who --- */

static bool same(const char *wanted, const char *text)
{
	return !wanted || (text && !strcmp(wanted, text));
}

static bool descends(const struct policy_input *s, const char *exe)
{
	for (size_t i = 0; i < s->ancestors; i++) {
		if (s->ancestor[i] && !strcmp(s->ancestor[i], exe))
			return true;
	}
	return !exe;
}

static bool allow_matches(const struct policy *p, const struct policy_allow *a,
			  const struct policy_input *s)
{
	char unit[NAME_ROOM];

	policy_unit(s->cgroup, unit, sizeof(unit));
	return (a->rules >> s->rule & 1) && s->exe && same(a->exe, s->exe) &&
	       same(a->sha256, s->sha256) && same(a->unit, unit) &&
	       (a->uid == POLICY_UNSET || a->uid == s->uid) &&
	       (!a->ancestor || descends(s, a->ancestor)) &&
	       (!a->instance || is_called(p, s, a->instance));
}

static const struct policy_plaintext *plaintext_allowed(const struct policy *p,
							const struct policy_input *s)
{
	/* that plaintext is served to whom it is allowed is allowed with it */
	if ((s->rule != RULE_TLS_PLAINTEXT && s->rule != RULE_TLS_LISTENER) || !s->peer ||
	    !s->opener)
		return NULL;
	for (size_t i = 0; i < p->tls.plaintexts; i++) {
		const struct policy_plaintext *t = &p->tls.plaintext[i];

		if (policy_cidr_holds(&t->peer, s->peer) && !strcmp(t->owner, s->opener))
			return t;
	}
	return NULL;
}

static void seek_allowance(const struct policy *p, const struct policy_input *s, int64_t now_ms,
			   struct verdict *v)
{
	for (size_t i = 0; i < p->allows && !v->allow; i++) {
		const struct policy_allow *a = &p->allow[i];

		if (!allow_matches(p, a, s))
			continue;
		if (a->until_ms != POLICY_UNSET && now_ms >= a->until_ms)
			v->expired = v->expired ?: a;
		else
			v->allow = a;
	}
	v->plaintext = plaintext_allowed(p, s);
	if (v->allow || v->plaintext) {
		v->expired = NULL;
		v->id = VERDICT_ALLOWED;
	}
}

void policy_evaluate(const struct policy *p, const struct policy_input *s, int64_t now_ms,
		     struct verdict *ret)
{
	int64_t mode = mode_of(p, s, s->rule);

	*ret = (struct verdict){.id = VERDICT_ALERT, .severity = severity_of(p, s)};
	if (s->prevented)
		ret->id = VERDICT_PREVENTED;
	else if (mode == MODE_OFF)
		ret->id = VERDICT_OFF;
	else if (mode == MODE_OBSERVE)
		ret->id = VERDICT_OBSERVED;
	else
		seek_allowance(p, s, now_ms, ret);
}

bool policy_wants_sha256(const struct policy *p, const char *exe)
{
	for (size_t i = 0; exe && i < p->allows; i++) {
		if (p->allow[i].sha256 && !strcmp(p->allow[i].exe, exe))
			return true;
	}
	return false;
}

/* --- TLS --- */

bool policy_tls_version(const struct policy *p, unsigned int version)
{
	return version >= (unsigned int)p->tls.minimum;
}

bool policy_tls_cipher(const struct policy *p, uint16_t number)
{
	const struct tls_suite *suite = tls_suite_find(number);

	if (!p->tls.ciphers)
		return !suite || suite->verdict >= SUITE_TOLERATED;
	for (size_t i = 0; suite && i < p->tls.ciphers; i++) {
		if (fits(p->tls.cipher[i], suite->name))
			return true;
	}
	return false;
}

/* --- the whole --- */

static const struct policy_instance *called(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->instances; i++) {
		if (!strcmp(p->instance[i].name, name))
			return &p->instance[i];
	}
	return NULL;
}

static bool names_are_unique(const struct policy *p, char *error, size_t size)
{
	for (size_t i = 0; i < p->instances; i++) {
		const struct policy_instance *in = &p->instance[i], *first = called(p, in->name);

		if (first == in)
			continue;
		snprintf(
			error, size,
			"%s:%u: instances[].name: '%s' is taken by %s:%u; expected a name of its own",
			in->at.file, in->at.line, in->name, first->at.file, first->at.line);
		return false;
	}
	return true;
}

/* What is denied in the kernel no policy here can allow. */
static bool allow_works(const struct policy *p, const struct policy_allow *a, char *error,
			size_t size)
{
	for (size_t i = 0; i < p->instances; i++) {
		const struct policy_instance *in = &p->instance[i];
		unsigned int rule = RULE_NONE + 1;

		while (rule < RULE_MAX &&
		       (!(a->rules >> rule & 1) || in->mode[rule] != MODE_PREVENT))
			rule++;
		if (rule == RULE_MAX || (a->instance && strcmp(a->instance, in->name)))
			continue;
		snprintf(
			error, size,
			"%s:%u: allow[].rule: %s is prevented upon '%s' (%s:%u), and the kernel knows no "
			"exceptions; expected another instance, or mode alert there",
			a->at.file, a->at.line, rule_name(rule), in->name, in->at.file,
			in->at.line);
		return false;
	}
	return true;
}

static bool allow_names(const struct policy *p, const struct policy_allow *a, char *error,
			size_t size)
{
	const char *near[POLICY_NEAR_MAX];
	size_t n = 0;
	char hint[128];

	if (!a->instance || called(p, a->instance) || strchr(a->instance, ':'))
		return true;
	for (size_t i = 0; i < p->instances && n < POLICY_NEAR_MAX; i++)
		near[n++] = p->instance[i].name;
	policy_near(a->instance, near, n, hint, sizeof(hint));
	snprintf(
		error, size,
		"%s:%u: allow[].instance: '%s' is nobody's name; expected one of instances[].name, or NAME:PORT "
		"as alerts say it%s",
		a->at.file, a->at.line, a->instance, hint);
	return false;
}

/* The same of plaintext that is dropped before anybody is asked. */
static bool plaintext_works(const struct policy *p, char *error, size_t size)
{
	for (size_t i = 0; p->tls.plaintexts && i < p->instances; i++) {
		const struct policy_instance *in = &p->instance[i];
		const struct policy_plaintext *first = p->tls.plaintext;

		if (in->mode[RULE_TLS_PLAINTEXT] != MODE_PREVENT)
			continue;
		snprintf(
			error, size,
			"%s:%u: tls.plaintext[]: tls-plaintext is prevented upon '%s' (%s:%u), and the "
			"kernel knows no exceptions; expected mode alert there",
			first->at.file, first->at.line, in->name, in->at.file, in->at.line);
		return false;
	}
	return true;
}

bool policy_whole(const struct policy *p, char *error, size_t size)
{
	if (!names_are_unique(p, error, size) || !plaintext_works(p, error, size))
		return false;
	for (size_t i = 0; i < p->allows; i++) {
		if (!allow_names(p, &p->allow[i], error, size) ||
		    !allow_works(p, &p->allow[i], error, size))
			return false;
	}
	return true;
}
