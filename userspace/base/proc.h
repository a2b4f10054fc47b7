/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc.h - the few things read from /proc, none of them about a protected instance's memory,
 * layout or descriptors: the monitor keeps its own rules.
 */
#ifndef CACHEWARDEN_PROC_H
#define CACHEWARDEN_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Path of a process's executable, if the process that has this pid now started at start_ns
 * (CLOCK_BOOTTIME, as the kernel reported it; /proc tells clock ticks, so 10 ms are allowed).
 * Returns 0, or -ESRCH if it is gone or another one, or another negative errno.
 */
int proc_exe(pid_t pid, uint64_t start_ns, char *buf, size_t size);

/* Its state as /proc/PID/stat shows it ('S', 'T', 'Z', ...), 0 if there is no such process. */
char proc_state(pid_t pid);

/*
 * Pid of its session's leader, if it is the process that started then (as proc_exe); else 0. In session 0, which has no
 * leader: of who of its ancestors was started by init or by the kernel.
 */
uint32_t proc_session(pid_t pid, uint64_t start_ns);

/* Its name, empty if there is no such process. */
void proc_comm(pid_t pid, char *buf, size_t size);

/* Is all swap space encrypted, or compressed in RAM? Not if there is none. */
bool proc_swap_sealed(void);

/* Call fn with each process's pid and argv[0]. Returns 0 or a negative errno. */
int proc_each_title(void (*fn)(void *ctx, pid_t pid, const char *argv0), void *ctx);

#endif
