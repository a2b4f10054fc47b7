/* SPDX-License-Identifier: BSD-2-Clause */
/* coverage.h - reports what is covered and what is not, once all programs are attached. */
#ifndef CACHEWARDEN_COVERAGE_H
#define CACHEWARDEN_COVERAGE_H

#include "base/jsonw.h"
#include "sensor/sensors.h"

/* The programs of one sensor on one tier. */
struct sensor_part {
	const char *sensor, *tier;
	size_t programs, attached;
};

/* In the order of the table. Returns how many. */
#define SENSOR_PARTS_MAX 16
size_t sensors_parts(const struct sensors *s, struct sensor_part ret[SENSOR_PARTS_MAX]);

/* The member "sensors": an array with one object for each part. */
void coverage_json(const struct sensors *s, struct jsonw *j);

/* "memory/ac_open not attached, unseen: ...": of size ALERT_NOTE_LEN. */
void coverage_note(const struct sensor_program *p, char *buf, size_t size);

/*
 * Log one summary line for the number of instances watched, and a warning for each program that is not attached.
 * blind_spot is called for each, with a note of what goes unseen.
 */
void coverage_report(const struct sensors *s, size_t instances,
		     void (*blind_spot)(void *ctx, const char *note, uint64_t total), void *ctx);

#endif
