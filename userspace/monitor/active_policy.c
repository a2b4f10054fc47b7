// SPDX-License-Identifier: BSD-2-Clause
/* active_policy.c - see active_policy.h. */
#include "monitor/active_policy.h"

#include "policy/policy_key.h"
#include "policy/policy_yaml.h"
#include "base/log.h"
#include "monitor/policy_input.h"

#include <string.h>

static bool read_policy(const struct policy_state *rb, struct policy *ret)
{
	char error[POLICY_ERROR_LEN];

	if (policy_yaml_load(ret, rb->file, true, error, sizeof(error)))
		return true;
	log_error("%s", error);
	return false;
}

static void tell(const struct policy_state *rb, const char *what)
{
	const struct policy *p = &rb->policy;
	unsigned int vain = 0;

	for (size_t i = 0; i < p->files; i++)
		log_info("policy %s: %s", what, p->file[i]);
	if (!p->files)
		log_info("policy %s: the built-in one", what);
	for (size_t i = 0; i < p->allows; i++)
		vain += (rb->prevent_always & (uint32_t)p->allow[i].rules) != 0;
	if (vain)
		log_warn(
			"--prevent denies what %u allowances of the policy are about: the kernel knows no "
			"exceptions",
			vain);
}

bool active_policy_open(struct policy_state *rb, const char *file, uint32_t prevent_always)
{
	*rb = (struct policy_state){.file = file, .prevent_always = prevent_always};
	if (!read_policy(rb, &rb->policy))
		return false;
	if (rb->policy.files)
		tell(rb, "read");
	return true;
}

void active_policy_close(struct policy_state *rb)
{
	policy_free(&rb->policy);
}

bool active_policy_reload(struct policy_state *rb)
{
	struct policy fresh;

	if (!read_policy(rb, &fresh)) {
		log_error("the new policy is refused, the old one stays");
		return false;
	}
	policy_free(&rb->policy);
	rb->policy = fresh;
	tell(rb, "read anew");
	return true;
}

static void refused(const char *whom, uint32_t rules)
{
	char text[256];

	rule_names(rules, text, sizeof(text));
	log_error("cannot be prevented on this kernel, only told: %s upon %s", text, whom);
}

void active_policy_prevent_on(struct policy_state *rb, struct sensors *s, const struct instance *in)
{
	struct policy_input subject;
	uint32_t rules;

	if (!rb->preventing)
		return;
	policy_input_instance(&subject, in);
	rules = policy_prevented(&rb->policy, &subject, rb->prevent_always);
	if (rules & ~rb->can & ~rb->prevent_always)
		refused(in->name, rules & ~rb->can & ~rb->prevent_always);
	if (sensors_prevent(s, in->id, rules & rb->can))
		log_error("nothing can be prevented upon %s: the kernel's table is full", in->name);
}

void active_policy_prevent(struct policy_state *rb, struct sensors *s, const struct instances *is)
{
	uint32_t any = policy_prevented_by_default(&rb->policy, rb->prevent_always);
	char text[256];

	if (!rb->preventing && !rb->prevent_always && !policy_has_prevention(&rb->policy))
		return;
	rb->preventing = true;
	rb->can = sensors_preventable(s);
	rule_names(any & rb->can, text, sizeof(text));
	if (sensors_prevent(s, INSTANCE_HOST, any & rb->can))
		log_error("nothing can be prevented: the kernel's table cannot be written");
	else if (any & rb->can)
		log_info("prevented: %s: %s", text, sensors_preventing(s));
	if (any & ~rb->can)
		refused("servers", any & ~rb->can);
	for (size_t i = 0; i < is->count; i++)
		active_policy_prevent_on(rb, s, is->all[i]);
}
