/* SPDX-License-Identifier: BSD-2-Clause */
/* syscall.h - names of syscalls, and which one an event is about. */
#ifndef CACHEWARDEN_SYSCALL_H
#define CACHEWARDEN_SYSCALL_H

#include "event.h"

/*
 * nr is a native syscall number, or one of the 32-bit table with SYSCALL_32BIT set. Returns NULL if
 * include/syscall_nr.h does not list it.
 */
const char *syscall_name(unsigned int nr);

/* Of an event with VECTOR_SYSCALL or VECTOR_ACCESS: the native number, and the operation it was asked for. */
static inline unsigned int syscall_nr(const struct event *ev)
{
	return ev->key.detail & SYSCALL_NUMBER_MASK;
}

static inline unsigned int syscall_op(const struct event *ev)
{
	return ev->key.detail >> SYSCALL_OP_SHIFT & SYSCALL_OP_MASK;
}

#endif
