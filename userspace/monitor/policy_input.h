/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_input.h - describes an instance or a finding to the policy. */
#ifndef CACHEWARDEN_POLICY_INPUT_H
#define CACHEWARDEN_POLICY_INPUT_H

#include "model/instance.h"
#include "policy/policy.h"
#include "report/finding.h"

/* in may be NULL: a finding on the host as a whole. *ret points into it. */
void policy_input_instance(struct policy_input *ret, const struct instance *in);

/* *ret points into f. The actor's SHA-256 is left out; it is costly, and few policies ask for it. */
void policy_input_finding(struct policy_input *ret, const struct finding *f);

#endif
