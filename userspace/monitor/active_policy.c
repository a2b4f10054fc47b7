// SPDX-License-Identifier: BSD-2-Clause
/* active_policy.c - see active_policy.h. */
#include "monitor/active_policy.h"

#include "base/log.h"
#include "monitor/policy_input.h"
#include "policy/policy_key.h"
#include "policy/policy_sink.h"
#include "policy/policy_yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_TEXT_LEN 256

static bool load(const struct active_policy *a, struct policy *ret, char error[POLICY_ERROR_LEN])
{
	if (policy_yaml_load(ret, a->file, true, error, POLICY_ERROR_LEN))
		return true;
	log_error("%s", error);
	return false;
}

static void log_policy(const struct active_policy *a, const char *verb)
{
	const struct policy *p = &a->policy;
	unsigned int ineffective = 0;

	for (size_t i = 0; i < p->files; i++)
		log_info("policy %s: %s", verb, p->file[i]);
	if (!p->files)
		log_info("policy %s: built-in", verb);
	for (size_t i = 0; i < p->allows; i++)
		ineffective += (a->prevent_always & (uint32_t)p->allow[i].rules) != 0;
	if (ineffective)
		log_warn(
			"allow entries without effect: %u; --prevent denies what they allow, and exceptions "
			"do not apply to prevention",
			ineffective);
}

bool active_policy_open(struct active_policy *a, const char *file, uint32_t prevent_always)
{
	char error[POLICY_ERROR_LEN];

	*a = (struct active_policy){.file = file, .prevent_always = prevent_always};
	if (!load(a, &a->policy, error))
		return false;
	if (a->policy.files)
		log_policy(a, "loaded");
	return true;
}

void active_policy_close(struct active_policy *a)
{
	policy_free(&a->policy);
	free(a->matched);
}

bool active_policy_reload(struct active_policy *a, char error[POLICY_ERROR_LEN])
{
	struct policy loaded;

	if (!load(a, &loaded, error)) {
		log_error("the new policy is invalid; the old one stays in force");
		return false;
	}
	if (!policy_sinks_equal(&a->policy, &loaded))
		log_warn(
			"the policy's sinks have changed: restart cachewarden to use the new ones");
	policy_free(&a->policy);
	a->policy = loaded;
	free(a->matched);
	a->matched = NULL;
	log_policy(a, "reloaded");
	return true;
}

static void log_not_prevented(const char *target, uint32_t rules)
{
	char text[RULES_TEXT_LEN];

	rule_names(rules, text, sizeof(text));
	log_error("detected but not prevented on this kernel: %s on %s", text, target);
}

void active_policy_prevent_on(struct active_policy *a, struct sensors *s, const struct instance *in)
{
	struct policy_input input;
	uint32_t rules, missing;

	if (!a->preventing)
		return;
	policy_input_instance(&input, in);
	rules = policy_prevented(&a->policy, &input, a->prevent_always);
	missing = rules & ~a->preventable & ~a->prevent_always;
	if (missing)
		log_not_prevented(in->name, missing);
	if (sensors_prevent(s, in->id, rules & a->preventable))
		log_error(
			"nothing is prevented on %s, only detected: the BPF map of rules to prevent is full",
			in->name);
}

void active_policy_prevent(struct active_policy *a, struct sensors *s, const struct instances *is)
{
	uint32_t rules = policy_prevented_by_default(&a->policy, a->prevent_always);
	char text[RULES_TEXT_LEN];

	if (!a->preventing && !a->prevent_always && !policy_has_prevention(&a->policy))
		return;
	a->preventing = true;
	a->preventable = sensors_preventable(s);
	rule_names(rules & a->preventable, text, sizeof(text));
	if (sensors_prevent(s, INSTANCE_HOST, rules & a->preventable))
		log_error(
			"nothing is prevented, only detected: cannot write the BPF map of rules to prevent");
	else if (rules & a->preventable)
		log_info("prevented: %s: %s", text, sensors_prevention_text(s));
	if (rules & ~a->preventable)
		log_not_prevented("servers", rules & ~a->preventable);
	for (size_t i = 0; i < is->count; i++)
		active_policy_prevent_on(a, s, is->all[i]);
}

/* Is that its name without the place and number that may follow, "redis-server:6379"? */
static bool has_short_name(const struct instance *in, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(in->name, name, len) &&
	       (!in->name[len] || in->name[len] == '@' || in->name[len] == '#');
}

/* The instances that an entry matches. */
struct matches {
	size_t count;
	char names[512];
};

static void add_match(struct matches *m, const struct instance *in)
{
	size_t used = strlen(m->names);

	m->count++;
	snprintf(m->names + used, sizeof(m->names) - used, "%s%s", used ? ", " : "", in->name);
}

/* *reported: how many matches were reported last. */
static void warn_of(size_t *reported, const struct matches *m, const struct policy_place *at,
		    const char *what, const char *name, const char *advice)
{
	if (m->count > 1 && m->count > *reported)
		log_warn("%s:%u: %s '%s' matches %zu instances (%s); %s", at->file, at->line, what,
			 name, m->count, m->names, advice);
	*reported = m->count;
}

static void check_entry(const struct policy_instance *entry, const struct instances *is,
			size_t *reported)
{
	struct matches found = {};
	struct policy_input input;

	if (entry->port == POLICY_UNSET || entry->unit || entry->container || entry->cgroup)
		return;
	for (size_t i = 0; i < is->count; i++) {
		policy_input_instance(&input, is->all[i]);
		if (is->all[i]->members && policy_matches(entry, &input))
			add_match(&found, is->all[i]);
	}
	warn_of(reported, &found, &entry->at, "the entry", entry->name,
		"it applies to all of them: add a unit or container to match one");
}

static void check_exception(const struct policy_allow *allow, const struct instances *is,
			    size_t *reported)
{
	struct matches found = {};

	if (!allow->instance || !strchr(allow->instance, ':'))
		return;
	for (size_t i = 0; i < is->count; i++) {
		if (is->all[i]->members && has_short_name(is->all[i], allow->instance))
			add_match(&found, is->all[i]);
	}
	warn_of(reported, &found, &allow->at, "the exception for", allow->instance,
		"it allows nothing: name one of them");
}

void active_policy_check(struct active_policy *a, const struct instances *is)
{
	const struct policy *p = &a->policy;

	if (!a->matched)
		a->matched = calloc(p->instances + p->allows + 1, sizeof(*a->matched));
	if (!a->matched)
		return;
	for (size_t i = 0; i < p->instances; i++)
		check_entry(&p->instance[i], is, &a->matched[i]);
	for (size_t i = 0; i < p->allows; i++)
		check_exception(&p->allow[i], is, &a->matched[p->instances + i]);
}
