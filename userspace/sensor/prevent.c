// SPDX-License-Identifier: BSD-2-Clause
/*
 * prevent.c - attaches the programs that prevent a breach, and tells them for which instances and rules.
 *
 * On the access tier one program denies the access with EPERM. Where only the opened file shows what was accessed,
 * and on the tiers below, the program that reports the attempt kills the actor. Plaintext is dropped by the packet
 * programs.
 */
#include "sensor/sensors.h"

#include "base/macros.h"
#include "model/rule.h"
#include "sensor/sensors_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#define RULE_BIT(name) (1u << RULE_##name)

static const struct preventer {
	const char *tier, *name;
	uint32_t rules; /* that cannot be prevented without this program */
} preventers[] = {
	{"access", "ac_deny",
	 RULE_BIT(MEM_TRACE) | RULE_BIT(MEM_READ) | RULE_BIT(MEM_WRITE) | RULE_BIT(MEM_FD)},
	{"syscalls", "en_ptrace", RULE_BIT(MEM_TRACE) | RULE_BIT(MEM_READ) | RULE_BIT(MEM_WRITE)},
	{"syscalls", "en_vm_readv", RULE_BIT(MEM_READ)},
	{"syscalls", "en_vm_writev", RULE_BIT(MEM_WRITE)},
	{"syscalls", "en_pidfd_getfd", RULE_BIT(MEM_FD)},
};

_Static_assert(ARRAY_SIZE(preventers) <= PREVENTERS_MAX, "a link for each");

/* Loaded whether or not the policy prevents anything: a later policy may, and loading takes time. */
void prevent_choose(struct bpf_object *obj, const char *tier)
{
	for (size_t i = 0; i < ARRAY_SIZE(preventers); i++) {
		if (!strcmp(preventers[i].tier, tier))
			bpf_program__set_autoload(
				bpf_object__find_program_by_name(obj, preventers[i].name), true);
	}
}

const char *sensors_prevention_text(const struct sensors *s)
{
	if (s->access)
		return "memory: denied with EPERM; where only the opened file shows the access, the "
		       "actor is killed; plaintext: dropped, and the connection reset";
	if (s->memory && s->quiet)
		return "reads and writes of memory: the actor is killed; plaintext: dropped, and the "
		       "connection reset";
	if (s->memory)
		return "memory: the actor is killed; plaintext: dropped, and the connection reset";
	return "plaintext: dropped, and the connection reset";
}

static bool is_attached(const struct sensors *s, const char *name)
{
	for (size_t i = 0; i < s->program_count; i++) {
		if (!strcmp(s->program[i].name, name))
			return s->program[i].attached;
	}
	return false;
}

uint32_t sensors_preventable(struct sensors *s)
{
	const char *tier = s->access ? "access" : s->memory ? sensors_tier_below(s) : "";
	uint32_t complete = 0, incomplete = 0;

	for (size_t i = 0; i < ARRAY_SIZE(preventers); i++) {
		struct bpf_program *prog = sensors_program(s, preventers[i].name);

		if (strcmp(preventers[i].tier, tier))
			continue;
		if (!s->preventer_links[i] && prog && bpf_program__fd(prog) >= 0)
			s->preventer_links[i] = bpf_program__attach(prog);
		if (s->preventer_links[i])
			complete |= preventers[i].rules;
		else
			incomplete |= preventers[i].rules;
	}
	if (s->memory && s->quiet && is_attached(s, "remote_mm")) /* before a page is looked up */
		complete |= RULE_BIT(MEM_READ) | RULE_BIT(MEM_WRITE);
	if (is_attached(s, "wire_egress"))
		complete |= RULE_BIT(TLS_PLAINTEXT);
	return complete & ~incomplete;
}

int sensors_prevent(struct sensors *s, uint32_t instance, uint32_t rules)
{
	if (rules & ~sensors_preventable(s))
		return -EOPNOTSUPP;
	return bpf_map_update_elem(sensors_map_fd(s, "prevent_rules"), &instance, &rules, BPF_ANY)
		       ? -errno
		       : 0;
}
