/* SPDX-License-Identifier: BSD-2-Clause */
/* features.h - what this kernel supports and this process may do. Probed, never derived from a version. */
#ifndef CACHEWARDEN_FEATURES_H
#define CACHEWARDEN_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

struct kernel_facts {
	char release[80];
	char machine[80];
	bool root;
	bool btf;
	bool bpf_lsm; /* "bpf" is among the active security modules */
	/* Programs on the access-check hook, by type: 0, a negative errno, or -ENODATA where not tried. */
	int fmod_ret, lsm, fexit;
};

/* try_access_hook: load programs to find out; needs root and BTF. */
void kernel_probe(struct kernel_facts *k, bool try_access_hook);

/*
 * Check the minimum without which nothing works. Returns 0, or -EPERM or -ENOTSUP with a sentence in error that says
 * what is missing and what to do.
 */
int kernel_ready(char *error, size_t size);

/*
 * Syscall tracepoints are found through tracefs. Where it is not mounted, mount it for this process only, in a mount
 * namespace of its own. Returns 0 or a negative errno.
 */
int kernel_tracefs(void);

#endif
