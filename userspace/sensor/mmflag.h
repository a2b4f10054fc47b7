/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmflag.h - which bits of a kernel's mm flags say what. The kernel gives them no name outside its source, and
 * they have moved: so a child does the thing, and the bit that appears is the one.
 */
#ifndef CACHEWARDEN_MMFLAG_H
#define CACHEWARDEN_MMFLAG_H

#include <stdint.h>
#include <sys/types.h>

struct mm_flags {
	uint64_t uprobes;   /* breakpoints are, or were, in its code */
	uint64_t mergeable; /* KSM may merge its pages with others' */
};

/*
 * Learn them. `read` tells a process's flags. Bits that could not be learned are 0. Returns 0, or a negative
 * errno if nothing could be tried.
 */
int mm_flags_learn(uint64_t (*read)(void *ctx, pid_t pid), void *ctx, struct mm_flags *ret);

#endif
