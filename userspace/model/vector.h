/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vector.h - the ways an attempt can be made: one row each. VECTOR_SYSCALL stands for all rare syscalls, whose rows
 * are in hooked_syscall.h.
 */
#ifndef CACHEWARDEN_VECTOR_H
#define CACHEWARDEN_VECTOR_H

#include <stdbool.h>
#include <stddef.h>

struct vector {
	const char *name; /* a contract: alerts and tests refer to it */
	/* Markdown, for docs/coverage.md */
	const char *rules;  /* that an attempt by it breaks */
	const char *target; /* how the target is identified */
};

/* VECTOR_NONE + 1 to VECTOR_MAX - 1; NULL for any other number. */
const struct vector *vector_get(unsigned int vector);

/* The rare syscalls that VECTOR_SYSCALL stands for, in the order of hooked_syscall.h. NULL from the end on. */
const struct vector *vector_syscall(size_t i);

/* Shorthand; NULL for a number that is no vector. */
const char *vector_name(unsigned int vector);

/* Opens of files, by syscall or io_uring: the key's detail is an enum file_kind. */
bool vector_is_open(unsigned int vector);

/* A packet, of either direction; VECTOR_NONE: counted for both. */
bool vector_is_wire(unsigned int vector);

#endif
