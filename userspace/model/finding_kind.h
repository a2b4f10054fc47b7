/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * finding_kind.h - the states that sweeps find (enum finding_kind), and the environment variables that subvert a server
 * at its start (enum env_var): a description and a severity each.
 */
#ifndef CACHEWARDEN_FINDING_KIND_H
#define CACHEWARDEN_FINDING_KIND_H

#include "model/severity.h"

struct finding_kind_info {
	const char *text;
	enum severity severity;
};

/* FINDING_SOCKET to FINDING_MAX - 1; NULL for any other number. */
const struct finding_kind_info *finding_kind_swept(unsigned int swept);

/* ENV_NONE + 1 to ENV_MAX - 1; NULL for any other number. */
const struct finding_kind_info *finding_kind_env(unsigned int var);

#endif
