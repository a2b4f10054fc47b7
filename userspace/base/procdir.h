/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * procdir.h - a process held by its directory in /proc. The kernel ties the directory to the process, not to the number: what is
 * read through it is of that process, or fails once it is gone. It is never of another one that got the same pid.
 */
#ifndef CACHEWARDEN_PROCDIR_H
#define CACHEWARDEN_PROCDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCDIR_ROOT "/proc" /* tests have others */

/*
 * Hold the process with this pid that started at start_ns (CLOCK_BOOTTIME, exact to a clock tick). Touches nothing but procfs, so it
 * does not block. Returns a descriptor; -ESRCH if it is gone or the pid is another process's by now; or another negative errno.
 */
int procdir_open(const char *root, pid_t pid, uint64_t start_ns);

/* A file of it, NUL-terminated and cut to size. Returns the length or a negative errno. */
ssize_t procdir_read(int dir, const char *name, char *buf, size_t size);

/* What a link of it leads to, as text. Returns the length or a negative errno. */
ssize_t procdir_link(int dir, const char *name, char *buf, size_t size);

/* Its executable, pinned (O_PATH) without being opened: no file system is asked. A descriptor or a negative errno. */
int procdir_pin_exe(int dir);

/* Open what a descriptor with O_PATH pins, to read: -EINVAL if it is no regular file, of which none waits. Or another negative errno. */
int procdir_open_pinned(int pinned);

/* Field n > 2 of the text of /proc/PID/stat (proc(5)), a number. */
bool procdir_stat_field(const char *stat, int n, int64_t *ret);

/* What follows "NAME:" and white space at the beginning of a line of /proc/PID/status, up to its end. False: there is none. */
bool procdir_status_field(const char *status, const char *name, char *buf, size_t size);

#endif
