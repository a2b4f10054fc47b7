/* SPDX-License-Identifier: BSD-2-Clause */
/* features.h - what this kernel and this process may do. Asked, never derived from a version. */
#ifndef CACHEWARDEN_FEATURES_H
#define CACHEWARDEN_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

struct kernel_facts {
	char release[80];
	char machine[80];
	bool root;
	bool btf;
	bool bpf_lsm;		  /* "bpf" among the active security modules */
	int fmod_ret, lsm, fexit; /* choke point: 0 or a negative errno */
};

/* Look; the choke point is only tried when root and BTF are there. */
void kernel_look(struct kernel_facts *k, bool try_choke_point);

/*
 * The least without which nothing works. Returns 0, or -EPERM / -ENOTSUP with one sentence in error
 * that says what is missing and what to do.
 */
int kernel_ready(char *error, size_t size);

/*
 * Syscall tracepoints are found through tracefs. Where it is not mounted, mount it for this process
 * alone (own mount namespace). Returns 0 or a negative errno.
 */
int kernel_tracefs(void);

#endif
