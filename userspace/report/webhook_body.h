/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * webhook_body.h - what a webhook posts: the message as it is, or in the words of a service. A template is one function and
 * one row in webhook_body.c, and a word in policy/policy_value.c.
 */
#ifndef CACHEWARDEN_WEBHOOK_BODY_H
#define CACHEWARDEN_WEBHOOK_BODY_H

#include "policy/policy.h"
#include "report/notice.h"

/*
 * The body, to be freed. NULL: memory ran out. secret: that of the policy, empty if there is none. templ: not
 * TEMPLATE_NONE, for which the message itself is the body.
 */
char *webhook_body(enum policy_template templ, const struct notice *n, const char *secret);

/*
 * Services tell people, who need to hear of an incident when it begins, gets worse and ends, and of what the monitor could
 * not see. The rest is for machines.
 */
#define WEBHOOK_KNOWN_MAX 256
struct webhook_known {
	struct {
		char id[96];
		enum severity severity;
	} incident[WEBHOOK_KNOWN_MAX]; /* those that were told of and are not over */
	size_t count;
};

/* Is n for people? webhook_told() once they have it. */
bool webhook_wanted(const struct webhook_known *k, const struct notice *n);
void webhook_told(struct webhook_known *k, const struct notice *n);

#endif
