/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * active_policy.h - the policy that holds now: read, swapped for another one as a whole, and told to the kernel where it
 * prevents.
 */
#ifndef CACHEWARDEN_ACTIVE_POLICY_H
#define CACHEWARDEN_ACTIVE_POLICY_H

#include "model/instance.h"
#include "policy/policy.h"
#include "sensor/sensors.h"

struct policy_state {
	struct policy policy;
	const char *file; /* NULL: the usual one */
	uint32_t
		prevent_always; /* rules (1u << rule) prevented where the policy does not say otherwise */
	uint32_t can;		/* of what can be prevented on this kernel */
	bool preventing;	/* the kernel was told of some */
};

/* Read the policy; a wrong one is said on stderr. Returns whether it is sound. */
bool active_policy_open(struct policy_state *rb, const char *file, uint32_t prevent_always);
void active_policy_close(struct policy_state *rb);

/* Read it anew. A wrong one is told, and the old one stays: returns false then. */
bool active_policy_reload(struct policy_state *rb);

/* Tell the kernel what to prevent upon whom, the instances known so far included, and stderr what it cannot. */
void active_policy_prevent(struct policy_state *rb, struct sensors *s, const struct instances *is);

/* The same for one instance of which something became known. */
void active_policy_prevent_on(struct policy_state *rb, struct sensors *s,
			      const struct instance *in);

#endif
