/* SPDX-License-Identifier: BSD-2-Clause */
/* sensors_internal.h - the inside of struct sensors, for the files of this folder alone. */
#ifndef CACHEWARDEN_SENSORS_INTERNAL_H
#define CACHEWARDEN_SENSORS_INTERNAL_H

#include "sensor/program.h"
#include "sensor/sensors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROGRAMS_MAX 128
#define OBJECTS_MAX 6
#define PREVENTERS_MAX 8

struct bpf_link;
struct bpf_object;
struct bpf_program;
struct btf;

struct sensors {
	/* Skeletons, NULL where not loaded. Only loader.c knows their types. */
	struct process_bpf *process;
	struct access_bpf *access; /* one of these two */
	struct memory_bpf *memory;
	struct calls_bpf *calls;
	struct wire_bpf *wire;
	struct sweep_bpf *sweep;
	struct bpf_object *objects[OBJECTS_MAX]; /* those that are loaded */
	size_t object_count;

	/* Variables of programs that userspace sets at run time; NULL where their object is not loaded. */
	uint32_t *find_pass; /* process.bpf.c */
	uint32_t *files_of;  /* access.bpf.c or memory.bpf.c */
	uint32_t *baseline;  /* sweep.bpf.c */

	struct btf *btf;  /* the kernel's */
	bool access_hook; /* the kernel takes programs there */
	bool uprobes_known;
	struct sensor_program program[PROGRAMS_MAX];
	size_t program_count;
	struct bpf_link *links[PROGRAMS_MAX];
	size_t link_count;
	struct sensor_program *link_of[PROGRAMS_MAX]; /* whose it is */
	struct bpf_link *preventing[PREVENTERS_MAX];
	struct bpf_link *live; /* made when first asked for */
};

/* loader.c: NULL, or -ENOENT, if no loaded object has one of that name. */
struct bpf_program *sensors_program(const struct sensors *s, const char *name);
int sensors_map_fd(const struct sensors *s, const char *name);

/* iterators.c: run an iterator to its end, over one process or (0) all. Returns 0 or a negative errno. */
int iterator_run(const struct bpf_program *prog, pid_t pid);

/* prevent.c: before an object is loaded, turn on what prevents on this tier. */
void prevent_choose(struct bpf_object *obj, const char *tier);

#endif
