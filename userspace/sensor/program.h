/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program.h - the table of all BPF programs: which sensor and tier each belongs to, and what stays unseen
 * without it. Plain data: reading it needs neither root nor a kernel.
 */
#ifndef CACHEWARDEN_PROGRAM_H
#define CACHEWARDEN_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#define SENSOR_ERROR_LEN 256

/* One program: what it is for, whether it holds, and what nobody sees where it does not. */
struct sensor_program {
	const char *sensor; /* "processes", "memory", "calls", "wire", "sweep" */
	const char *tier;   /* "hooks", "access", "syscalls", "packets", "sweep" */
	const char *name;   /* BPF program name */
	const char *unseen;
	bool optional; /* not every kernel has what it looks at */
	bool attached;
	char error[SENSOR_ERROR_LEN]; /* why not, empty if attached */
};

/* The table, in the order in which programs are attached. */
const struct sensor_program *sensor_program_table(size_t *ret_count);

#endif
