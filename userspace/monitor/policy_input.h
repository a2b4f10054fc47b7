/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_input.h - what a policy judges, gathered from a finding. */
#ifndef CACHEWARDEN_POLICY_INPUT_H
#define CACHEWARDEN_POLICY_INPUT_H

#include "report/finding.h"
#include "policy/policy.h"

/* What is known of an instance; NULL: of none in particular. ret points into it. */
void policy_input_instance(struct policy_input *ret, const struct instance *in);

/*
 * Judge a finding: fill its verdict, its severity, and what had to be asked for that: the actor's control group
 * (in the cgroup2 hierarchy of that descriptor) and, if an entry is about it, its SHA-256.
 */
void policy_input_evaluate(struct finding *f, const struct policy *p, int cgroup_fd);

/*
 * Plaintext is answered where that alert's plaintext came in (NULL: not known): whoever opened the connection
 * opened it for both. To be called before a tls-listener is judged.
 */
void policy_input_opener(struct finding *f, const struct alert *plaintext);

#endif
