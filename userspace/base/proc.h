/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc.h - reads /proc. Never an instance's memory, layout or descriptors: that would break the monitor's own rules.
 */
#ifndef CACHEWARDEN_PROC_H
#define CACHEWARDEN_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NOBODY 65534 /* user and group that own nothing */

/*
 * Path of the executable of the process with this pid, provided that it started at start_ns (CLOCK_BOOTTIME, in
 * nanoseconds; /proc has clock ticks, so the comparison is exact to 10 ms). Returns 0, -ESRCH if the process is gone
 * or the pid was reused, or another negative errno.
 */
int proc_exe(pid_t pid, uint64_t start_ns, char *buf, size_t size);

/* Does the process that started at start_ns (as proc_exe()) still run, or is a zombie? True if that cannot be found out. */
bool proc_runs(pid_t pid, uint64_t start_ns);

/* State of a process as in /proc/PID/stat ('S', 'T', 'Z', ...), 0 if there is no such process. */
char proc_state(pid_t pid);

/*
 * Pid of the session leader of a process that started at start_ns (as proc_exe()), else 0. Session 0 has no leader: the
 * ancestor that init or the kernel started stands for it, looked for up to ancestors_max generations.
 */
uint32_t proc_session(pid_t pid, uint64_t start_ns, unsigned int ancestors_max);

/*
 * Arguments of a process that started at start_ns (as proc_exe()), each NUL-terminated, cut to size. Returns their
 * length, 0 if the process is gone or has none, size if they did not fit.
 */
uint32_t proc_args(pid_t pid, uint64_t start_ns, char *buf, size_t size);

/* Inode number of a process's mount namespace, 0 if unknown. process: a pid, or "self". */
uint32_t proc_mnt_ns(const char *process);

/* Its parent, 0 if there is no such process. */
pid_t proc_parent(pid_t pid);

/* Command name of a process, empty if there is no such process. */
void proc_comm(pid_t pid, char *buf, size_t size);

/* The most processes there can be at once, threads included; 0 if unknown. */
uint32_t proc_processes_max(void);

/*
 * Does the device mapper encrypt with this target, by the device's uuid? Targets for integrity and verity name themselves
 * CRYPT-, too, but encrypt nothing.
 */
bool proc_dm_encrypts(const char *uuid);

/* Is all swap space on encrypted devices (dm-crypt) or in RAM (zram)? False if there is no swap. */
bool proc_swap_sealed(void);

/* Does the process have a listening TCP or UNIX socket? Reads its descriptors, so not for an instance. */
bool proc_listens(pid_t pid);

/*
 * A process other than this one that has a descriptor of the BPF program or of the BPF map (0: of none); 0 if there is none, or
 * not found in PROC_HOLDER_NS. Those that skip() wants are left out.
 */
#define PROC_HOLDER_NS 50000000ull
pid_t proc_bpf_holder(uint32_t program, uint32_t map, bool (*skip)(void *ctx, pid_t pid),
		      void *ctx);

/* argv[0] of a process. Returns its length, 0 if the process is gone or has none. */
size_t proc_title(pid_t pid, char *buf, size_t size);

/* Call fn for each process. Returns 0 or a negative errno. */
int proc_each(void (*fn)(void *ctx, pid_t pid), void *ctx);

/* Memory of this process that is in RAM, in pages; 0: unknown. */
uint64_t proc_resident_pages(void);

#endif
