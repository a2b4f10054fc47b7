/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program.h - the table of all BPF programs: the sensor and tier each belongs to, and what goes unseen without
 * it; and the table of what a tier cannot see even when all its programs are attached.
 *
 * Constant data. Reading it needs neither root nor a kernel, so documentation is generated from it.
 */
#ifndef CACHEWARDEN_PROGRAM_H
#define CACHEWARDEN_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#define SENSOR_ERROR_LEN 256

struct sensor_program {
	const char *sensor; /* "processes", "memory", "calls", "wire", "sweep" */
	const char *tier;   /* "hooks", "access", "syscalls", "quiet", "packets", "sweep" */
	const char *name;   /* BPF program name, at most 15 characters */
	const char *unseen; /* what no other program sees */
	bool optional;	    /* left out without an error where the kernel lacks its target */
	/* State on this kernel; false and empty in the table. */
	bool attached;
	char error[SENSOR_ERROR_LEN]; /* why it is not attached, empty if it is */
};

/*
 * All programs, in the order in which they are attached. The programs of one sensor are adjacent. Of the tiers
 * "access", "syscalls" and "quiet" one is in use, so no kernel runs all of them.
 */
const struct sensor_program *sensor_program_table(size_t *ret_count);

/* What a tier leaves unseen even with all its programs attached. docs/coverage.md gives the reasons. */
struct sensor_limit {
	const char *sensor, *tier, *unseen;
};

const struct sensor_limit *sensor_limits(size_t *ret_count);

/* Does this limit apply where these programs are in use? By the tier: in the quiet one a sensor may have none. */
bool sensor_limit_applies(const struct sensor_limit *limit, const struct sensor_program *programs,
			  size_t count);

#endif
