/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmflag.h - finds the bits of mm->flags that mark uprobes and mergeable pages. They are kernel-internal and have moved
 * between versions, so a child process plants a uprobe in itself and makes its memory mergeable, and the bits that appear
 * are taken.
 */
#ifndef CACHEWARDEN_MMFLAG_H
#define CACHEWARDEN_MMFLAG_H

#include <stdint.h>
#include <sys/types.h>

struct mm_flags {
	uint64_t uprobes;   /* MMF_HAS_UPROBES: breakpoints are or were in its code */
	uint64_t mergeable; /* MMF_VM_MERGEABLE, MMF_VM_MERGE_ANY: KSM may merge its pages */
};

/*
 * read_flags returns the flags of a process. Bits that could not be found are 0. Returns 0, or a negative errno if the
 * child could not be started.
 */
int mm_flags_learn(uint64_t (*read_flags)(void *ctx, pid_t pid), void *ctx, struct mm_flags *ret);

#endif
