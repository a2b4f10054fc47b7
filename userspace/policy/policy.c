// SPDX-License-Identifier: BSD-2-Clause
/* policy.c - see policy.h. A property that is unknown never matches an exception: when in doubt, alert. */
#include "policy/policy.h"

#include "base/str.h"
#include "base/macros.h"
#include "model/tls_suite.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define NAME_ROOM 256
#define CONTAINER_ID 64 /* hex digits */

const char *verdict_name(enum verdict_id id)
{
	static const char *const names[] = {
		[VERDICT_OFF] = "off",
		[VERDICT_OBSERVED] = "observed",
		[VERDICT_ALLOWED] = "allowed",
		[VERDICT_ALERT] = "alert",
		[VERDICT_PREVENTED] = "prevented",
	};
	_Static_assert(ARRAY_SIZE(names) == VERDICT_MAX, "every verdict has a name");

	return names[id];
}

bool policy_cidr_contains(const struct policy_cidr *c, const uint8_t ip[16])
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

		/* the last one: a user's service is below user@1000.service */
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

#define POD_ID 36	   /* a UUID; systemd's driver writes it with underscores */
#define SHORT_CONTAINER 12 /* digits, as docker ps and crictl ps show */

void policy_place(const char *cgroup, char *buf, size_t size)
{
	const char *pod = cgroup && strstr(cgroup, "kubepods") ? strstr(cgroup, "pod") : NULL;

	while (pod && strspn(pod + 3, "0123456789abcdef-_") < POD_ID)
		pod = strstr(pod + 3, "pod");
	if (pod) {
		snprintf(buf, size, "pod-%.*s", POD_ID, pod + 3);
		for (char *c = buf; *c; c++)
			*c = *c == '_' ? '-' : *c;
		return;
	}
	policy_container(cgroup, buf, size);
	if (buf[0] && size > SHORT_CONTAINER)
		buf[SHORT_CONTAINER] = '\0';
	else
		policy_unit(cgroup, buf, size);
}

/* --- instances --- */

static bool pattern_matches(const char *pattern, const char *text)
{
	return !pattern || (text && !fnmatch(pattern, text, 0));
}

static bool has_port(const struct policy_input *in, int64_t port)
{
	for (size_t i = 0; i < in->ports; i++) {
		if (in->port[i] == port)
			return true;
	}
	return false;
}

static bool matches_all(const struct policy_instance *entry)
{
	return !entry->exe && !entry->unit && !entry->cgroup && !entry->container &&
	       entry->port == POLICY_UNSET;
}

bool policy_matches(const struct policy_instance *entry, const struct policy_input *in)
{
	char unit[NAME_ROOM], container[NAME_ROOM];

	policy_unit(in->instance_cgroup, unit, sizeof(unit));
	policy_container(in->instance_cgroup, container, sizeof(container));
	return (pattern_matches(entry->exe, in->instance_exe) ||
		pattern_matches(entry->exe, in->instance_started_as)) &&
	       pattern_matches(entry->cgroup, in->instance_cgroup) &&
	       pattern_matches(entry->unit, unit) && pattern_matches(entry->container, container) &&
	       (entry->port == POLICY_UNSET || has_port(in, entry->port));
}

static int64_t mode_of(const struct policy *p, const struct policy_input *in, unsigned int rule)
{
	for (size_t i = 0; i < p->instances; i++) {
		if (p->instance[i].mode[rule] != POLICY_UNSET &&
		    policy_matches(&p->instance[i], in))
			return p->instance[i].mode[rule];
	}
	return POLICY_UNSET;
}

static enum severity severity_of(const struct policy *p, const struct policy_input *in)
{
	for (size_t i = 0; i < p->instances; i++) {
		int64_t severity = p->instance[i].severity[in->rule];

		if (severity != POLICY_UNSET && policy_matches(&p->instance[i], in))
			return (enum severity)severity;
	}
	return in->severity;
}

static bool says_ask(const struct policy_ask *a)
{
	return a->over != POLICY_UNSET || a->password_file || a->cert || a->socket;
}

const struct policy_ask *policy_asked(const struct policy *p, const struct policy_input *in)
{
	for (size_t i = 0; i < p->instances; i++) {
		if (says_ask(&p->instance[i].ask) && policy_matches(&p->instance[i], in))
			return &p->instance[i].ask;
	}
	return NULL;
}

/* By the name that alerts show, the same with its place, with which its uid begins, or the name of an entry. */
bool policy_is_called(const struct policy *p, const struct policy_input *in, const char *name)
{
	size_t len = strlen(name);

	if (in->instance && !strcmp(in->instance, name))
		return true;
	if (in->instance_uid && !strncmp(in->instance_uid, name, len) &&
	    in->instance_uid[len] == '/')
		return true;
	for (size_t i = 0; i < p->instances; i++) {
		if (!strcmp(p->instance[i].name, name))
			return policy_matches(&p->instance[i], in);
	}
	return false;
}

uint32_t policy_prevented(const struct policy *p, const struct policy_input *in, uint32_t fallback)
{
	uint32_t rules = 0;

	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		int64_t mode = mode_of(p, in, r);

		if (POLICY_PREVENTABLE >> r & 1 &&
		    (mode == MODE_PREVENT || (mode == POLICY_UNSET && fallback >> r & 1)))
			rules |= 1u << r;
	}
	return rules;
}

uint32_t policy_prevented_by_default(const struct policy *p, uint32_t fallback)
{
	uint32_t rules = fallback;

	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		for (size_t i = 0; i < p->instances; i++) {
			const struct policy_instance *entry = &p->instance[i];

			if (!matches_all(entry) || entry->mode[r] == POLICY_UNSET)
				continue;
			rules &= ~(1u << r);
			if (entry->mode[r] == MODE_PREVENT)
				rules |= 1u << r;
			break;
		}
	}
	return rules;
}

bool policy_has_prevention(const struct policy *p)
{
	for (size_t i = 0; i < p->instances; i++) {
		for (unsigned int r = 0; r < RULE_MAX; r++) {
			if (p->instance[i].mode[r] == MODE_PREVENT)
				return true;
		}
	}
	return false;
}

/* --- exceptions --- */

static bool equals(const char *required, const char *text)
{
	return !required || (text && !strcmp(required, text));
}

static bool descends(const struct policy_input *in, const char *exe)
{
	for (size_t i = 0; i < in->ancestors; i++) {
		if (in->ancestor[i] && !strcmp(in->ancestor[i], exe))
			return true;
	}
	return !exe;
}

static bool allow_matches(const struct policy *p, const struct policy_allow *a,
			  const struct policy_input *in)
{
	char unit[NAME_ROOM];

	policy_unit(in->cgroup, unit, sizeof(unit));
	return (a->rules >> in->rule & 1) && in->exe && equals(a->exe, in->exe) &&
	       equals(a->sha256, in->sha256) && equals(a->unit, unit) &&
	       (a->uid == POLICY_UNSET || a->uid == in->uid) &&
	       (!a->ancestor || descends(in, a->ancestor)) &&
	       (!a->instance || policy_is_called(p, in, a->instance));
}

static const struct policy_place *plaintext_allowed(const struct policy *p,
						    const struct policy_input *in)
{
	/* tls-listener too: that a port serves plaintext to this client follows from it */
	if ((in->rule != RULE_TLS_PLAINTEXT && in->rule != RULE_TLS_LISTENER) || !in->peer ||
	    !in->conn_owner)
		return NULL;
	for (size_t i = 0; i < p->tls.plaintexts; i++) {
		const struct policy_plaintext *t = &p->tls.plaintext[i];

		if (policy_cidr_contains(&t->peer, in->peer) && !strcmp(t->owner, in->conn_owner))
			return &t->at;
	}
	return NULL;
}

static const struct policy_place *bypass_allowed(const struct policy *p,
						 const struct policy_input *in)
{
	if (in->rule != RULE_TLS_BYPASS || !in->peer)
		return NULL;
	for (size_t i = 0; i < p->tls.bypasses; i++) {
		const struct policy_bypass *b = &p->tls.bypass[i];

		if (policy_cidr_contains(&b->peer, in->peer) &&
		    (b->port == POLICY_UNSET || b->port == in->peer_port))
			return &b->at;
	}
	return NULL;
}

static void find_exception(const struct policy *p, const struct policy_input *in, int64_t now_ms,
			   struct verdict *v)
{
	for (size_t i = 0; i < p->allows && !v->allow; i++) {
		const struct policy_allow *a = &p->allow[i];

		if (!allow_matches(p, a, in))
			continue;
		if (a->until_ms != POLICY_UNSET && now_ms >= a->until_ms)
			v->expired = v->expired ?: a;
		else
			v->allow = a;
	}
	v->wire = plaintext_allowed(p, in) ?: bypass_allowed(p, in);
	if (v->allow || v->wire) {
		v->expired = NULL;
		v->id = VERDICT_ALLOWED;
	}
}

void policy_evaluate(const struct policy *p, const struct policy_input *in, int64_t now_ms,
		     struct verdict *ret)
{
	int64_t mode = mode_of(p, in, in->rule);

	*ret = (struct verdict){.id = VERDICT_ALERT, .severity = severity_of(p, in)};
	if (in->prevented)
		ret->id = VERDICT_PREVENTED;
	else if (mode == MODE_OFF)
		ret->id = VERDICT_OFF;
	else if (mode == MODE_OBSERVE)
		ret->id = VERDICT_OBSERVED;
	else
		find_exception(p, in, now_ms, ret);
	if (ret->id == VERDICT_ALERT && mode == POLICY_UNSET && in->routine)
		ret->id = VERDICT_OBSERVED;
}

bool policy_needs_sha256(const struct policy *p, const char *exe)
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
		if (pattern_matches(p->tls.cipher[i], suite->name))
			return true;
	}
	return false;
}
