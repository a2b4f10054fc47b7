/* SPDX-License-Identifier: BSD-2-Clause */
/* syscall.h - names of syscalls. */
#ifndef CACHEWARDEN_SYSCALL_H
#define CACHEWARDEN_SYSCALL_H

/*
 * nr is a native syscall number, or one of the 32-bit table with SYSCALL_32BIT set. Returns NULL if
 * include/syscall_nr.h does not list it.
 */
const char *syscall_name(unsigned int nr);

#endif
