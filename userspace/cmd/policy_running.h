/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_running.h - what a policy means for the servers that run now, as the running monitor knows them. */
#ifndef CACHEWARDEN_POLICY_RUNNING_H
#define CACHEWARDEN_POLICY_RUNNING_H

#include "policy/policy.h"

/*
 * Print a warning for each exception and entry that was meant for one server and means several of those that a monitor on this
 * host watches. Nothing without one, or without the right to ask it.
 */
void policy_warn_of_running(const struct policy *p);

#endif
