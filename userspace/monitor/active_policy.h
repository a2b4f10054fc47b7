/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * active_policy.h - the policy in force: loads it, replaces it as a whole on reload, and tells the BPF programs what to
 * prevent.
 */
#ifndef CACHEWARDEN_ACTIVE_POLICY_H
#define CACHEWARDEN_ACTIVE_POLICY_H

#include "model/instance.h"
#include "policy/policy.h"
#include "sensor/sensors.h"

/* Sets of rules are 1u << rule. */
struct active_policy {
	struct policy policy;
	const char *file;	 /* NULL: POLICY_FILE, if it exists */
	uint32_t prevent_always; /* by option; a policy that names the rule's mode overrides it */
	uint32_t preventable;	 /* on this kernel */
	bool preventing;	 /* the kernel's table has been written */
	/* for each entry of instances, then each exception: how many instances it was reported to match */
	size_t *matched;
};

/* Load the policy. Returns false, with the error logged, if it is invalid. */
bool active_policy_open(struct active_policy *a, const char *file, uint32_t prevent_always);
void active_policy_close(struct active_policy *a);

/*
 * Load it again. Returns false, with the error logged, the same in error, and the policy in force unchanged, if it is invalid.
 */
bool active_policy_reload(struct active_policy *a, char error[POLICY_ERROR_LEN]);

/*
 * Warn of entries that were meant for one instance and match several running ones: an exception by NAME:PORT, which then
 * allows nothing, and an entry that names a port but no place. Each is logged once, and again when it matches more.
 */
void active_policy_check(struct active_policy *a, const struct instances *is);

/* Tell the kernel what to prevent on each known instance and on those to come. Log what this kernel cannot prevent. */
void active_policy_prevent(struct active_policy *a, struct sensors *s, const struct instances *is);

/* The same for one instance that started, or of which more is known now. */
void active_policy_prevent_on(struct active_policy *a, struct sensors *s,
			      const struct instance *in);

#endif
