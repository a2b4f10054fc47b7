/* SPDX-License-Identifier: BSD-2-Clause */
/* subject.h - what a policy judges, gathered from a finding. */
#ifndef CACHEWARDEN_SUBJECT_H
#define CACHEWARDEN_SUBJECT_H

#include "report/finding.h"
#include "policy/policy.h"

/* What is known of an instance; NULL: of none in particular. ret points into it. */
void subject_instance(struct policy_subject *ret, const struct instance *in);

/*
 * Judge a finding: fill its verdict, its severity, and what had to be asked for that: the actor's control group
 * (in the cgroup2 hierarchy of that descriptor) and, if an entry is about it, its SHA-256.
 */
void subject_judge(struct finding *f, const struct policy *p, int cgroup_fd);

/*
 * Plaintext is answered where that alert's plaintext came in (NULL: not known): whoever opened the connection
 * opened it for both. To be called before a tls-listener is judged.
 */
void subject_answers(struct finding *f, const struct alert *plaintext);

#endif
