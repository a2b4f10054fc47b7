// SPDX-License-Identifier: BSD-2-Clause
/* active_policy.c - see active_policy.h. */
#include "monitor/active_policy.h"

#include "base/log.h"
#include "monitor/policy_input.h"
#include "policy/policy_key.h"
#include "policy/policy_yaml.h"

#define RULES_TEXT_LEN 256

static bool load(const struct active_policy *a, struct policy *ret)
{
	char error[POLICY_ERROR_LEN];

	if (policy_yaml_load(ret, a->file, true, error, sizeof(error)))
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
			"%u allow entries have no effect: --prevent denies what they allow, and the "
			"kernel side knows no exceptions",
			ineffective);
}

bool active_policy_open(struct active_policy *a, const char *file, uint32_t prevent_always)
{
	*a = (struct active_policy){.file = file, .prevent_always = prevent_always};
	if (!load(a, &a->policy))
		return false;
	if (a->policy.files)
		log_policy(a, "loaded");
	return true;
}

void active_policy_close(struct active_policy *a)
{
	policy_free(&a->policy);
}

bool active_policy_reload(struct active_policy *a)
{
	struct policy loaded;

	if (!load(a, &loaded)) {
		log_error("the new policy is invalid; the old one stays in force");
		return false;
	}
	policy_free(&a->policy);
	a->policy = loaded;
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
		log_error("nothing is prevented on %s: the kernel's table is full", in->name);
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
		log_error("nothing is prevented: cannot write the kernel's table");
	else if (rules & a->preventable)
		log_info("prevented: %s: %s", text, sensors_prevention_text(s));
	if (rules & ~a->preventable)
		log_not_prevented("servers", rules & ~a->preventable);
	for (size_t i = 0; i < is->count; i++)
		active_policy_prevent_on(a, s, is->all[i]);
}
