// SPDX-License-Identifier: BSD-2-Clause
/* prevent.c - denies or kills what a policy wants prevented. */
#include "base/macros.h"
#include "sensor/sensors.h"

#include "sensor/sensors_internal.h"
#include "model/rule.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#define RULE_BIT(name) (1u << RULE_##name)

/*
 * What prevents, attached when first asked to. What it leaves to do (an open, whose file is known at its end)
 * is done where the attempt is told: the actor dies.
 */
static const struct preventer {
	const char *tier, *name;
	uint32_t rules; /* in which it takes part */
} preventers[] = {
	{"access", "ac_deny",
	 RULE_BIT(MEM_TRACE) | RULE_BIT(MEM_READ) | RULE_BIT(MEM_WRITE) | RULE_BIT(MEM_FD)},
	{"syscalls", "en_ptrace", RULE_BIT(MEM_TRACE) | RULE_BIT(MEM_READ) | RULE_BIT(MEM_WRITE)},
	{"syscalls", "en_vm_readv", RULE_BIT(MEM_READ)},
	{"syscalls", "en_vm_writev", RULE_BIT(MEM_WRITE)},
	{"syscalls", "en_pidfd_getfd", RULE_BIT(MEM_FD)},
};

_Static_assert(ARRAY_SIZE(preventers) <= PREVENTERS_MAX, "room for their links");

/* They are loaded whenever they can be, so that a policy may ask for them later. */
void prevent_choose(struct bpf_object *obj, const char *tier)
{
	for (size_t i = 0; i < ARRAY_SIZE(preventers); i++) {
		if (!strcmp(preventers[i].tier, tier))
			bpf_program__set_autoload(
				bpf_object__find_program_by_name(obj, preventers[i].name), true);
	}
}

const char *sensors_preventing(const struct sensors *s)
{
	return s->access
		       ? "memory: denied with EPERM, or where only the opened file tells, the actor "
			 "killed; plaintext: dropped, its connection reset"
	       : s->memory ? "memory: the actor killed; plaintext: dropped, its connection reset"
			   : "plaintext: dropped, its connection reset";
}

uint32_t sensors_preventable(struct sensors *s)
{
	const char *tier = s->access ? "access" : s->memory ? "syscalls" : "";
	uint32_t can = 0, cannot = 0;

	for (size_t i = 0; i < ARRAY_SIZE(preventers); i++) {
		struct bpf_program *prog = sensors_program(s, preventers[i].name);

		if (strcmp(preventers[i].tier, tier))
			continue;
		if (!s->preventing[i] && prog && bpf_program__fd(prog) >= 0)
			s->preventing[i] = bpf_program__attach(prog);
		if (s->preventing[i])
			can |= preventers[i].rules;
		else
			cannot |= preventers[i].rules;
	}
	can &= ~cannot;
	/* the packet programs drop by themselves what they were told to */
	for (size_t i = 0; i < s->program_count; i++) {
		if (!strcmp(s->program[i].name, "wire_egress") && s->program[i].attached)
			can |= RULE_BIT(TLS_PLAINTEXT);
	}
	return can;
}

int sensors_prevent(struct sensors *s, uint32_t instance, uint32_t rules)
{
	if (rules & ~sensors_preventable(s))
		return -EOPNOTSUPP;
	return bpf_map_update_elem(sensors_map_fd(s, "prevent_rules"), &instance, &rules, BPF_ANY)
		       ? -errno
		       : 0;
}
