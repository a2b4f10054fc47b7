/* SPDX-License-Identifier: BSD-2-Clause */
/* request.h - names of what ptrace and other multiplexing syscalls were asked to do. */
#ifndef CACHEWARDEN_REQUEST_H
#define CACHEWARDEN_REQUEST_H

/* "PTRACE_ATTACH"; NULL if unknown. */
const char *request_ptrace(unsigned int request);

/*
 * The name of the argument that says what a native syscall was asked for: an advice, a resource, a command.
 * "MADV_PAGEOUT", "RLIMIT_CORE"; NULL if unknown.
 */
const char *request_name(unsigned int nr, unsigned int op);

#endif
