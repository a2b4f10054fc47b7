/* SPDX-License-Identifier: BSD-2-Clause */
/* probe.h - asks the kernel which kinds of program it takes, by programs that do nothing. */
#ifndef CACHEWARDEN_PROBE_H
#define CACHEWARDEN_PROBE_H

#include <stdbool.h>

struct btf;

enum probe_kind {
	/* at security_ptrace_access_check, which every ptrace-like access passes, in each of three ways */
	PROBE_FMOD_RET,
	PROBE_LSM,
	PROBE_FEXIT,
	PROBE_MAP_ITER, /* iterator over the storage of sockets: some kernels refuse those over maps alone */
};

/*
 * For tests of the lower tiers: kinds of program, in this environment variable, that are treated as if the kernel refused
 * them: "fentry" (at its functions).
 */
#define PROBE_REFUSED_ENV "CACHEWARDEN_REFUSE"
bool probe_refused(const char *kind);

/*
 * Load such a program; one at the access check is also attached for a moment, and lets everything pass. btf: the kernel's.
 * Returns 0 if the kernel takes it, or a negative errno.
 */
int probe_program(const struct btf *btf, enum probe_kind kind);

#endif
