/* SPDX-License-Identifier: BSD-2-Clause */
/* sensors_internal.h - the inside of struct sensors, for the files of sensor/ only. */
#ifndef CACHEWARDEN_SENSORS_INTERNAL_H
#define CACHEWARDEN_SENSORS_INTERNAL_H

#include "sensor/compat.h"
#include "sensor/program.h"
#include "sensor/sensors.h"

#include <stdatomic.h>
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
	/* Skeletons, NULL where not loaded. Their types are known to loader.c only. */
	struct process_bpf *process;
	struct access_bpf *access; /* the access tier of the memory sensor */
	struct memory_bpf *memory; /* its tiers below; never both */
	struct calls_bpf *calls;
	struct wire_bpf *wire;
	struct sweep_bpf *sweep;

	/* The loaded objects, in the order of loading. */
	struct bpf_object *objects[OBJECTS_MAX];
	size_t object_count;

	/* Variables of programs that userspace sets; NULL where their object is not loaded. */
	uint32_t *find_pass; /* process.bpf.c: pass of find_instances; read-only once sealed */
	uint32_t *files_of;  /* access.bpf.c or memory.bpf.c: see sensors_file_learn() */
	uint32_t *baseline;  /* sweep.bpf.c: see sensors_sweep_maps() */
	uint32_t *lasting_pending; /* sweep.bpf.c: see sensors_sweep_pending() */
	uint32_t *first_sweep;	   /* the same */

	struct btf *btf;     /* the kernel's */
	struct turns *turns; /* turn.bpf.h: mapped, shared with the monitors before and after */
	uint32_t turn;	     /* see sensors_turn() */
	uint64_t turn_from, turn_until;	  /* what this monitor has set there */
	const struct predecessor *before; /* while loading; NULL: none */
	bool swept;			  /* the host, at least once */
	bool access_hook;		  /* programs may attach to the access-check hook */
	bool quiet;			  /* without it, to none of a syscall's either */
	bool map_iterators;		  /* the kernel takes iterators over maps */
	bool uprobe_flag_known;		  /* see sensors_knows_uprobes() */

	struct compat_helper helper[USER_HELPERS_MAX];
	size_t helpers;

	/* The program table without what this kernel has no use for. */
	struct sensor_program program[PROGRAMS_MAX];
	size_t program_count;

	struct bpf_link *links[PROGRAMS_MAX];
	/* the program of the link with the same index */
	struct sensor_program *link_of[PROGRAMS_MAX];
	size_t link_count;
	atomic_size_t detached; /* links taken by detach_all() */
	struct bpf_link *preventer_links[PREVENTERS_MAX];
	struct bpf_link *snapshot_link; /* created on first use */
};

/* loader.c: the tier of the sensors memory and calls where the access-check hook is refused. */
const char *sensors_tier_below(const struct sensors *s);

/* objects.c: by name, in any loaded object. NULL or -ENOENT if there is none. */
struct bpf_program *sensors_program(const struct sensors *s, const char *name);
int sensors_map_fd(const struct sensors *s, const char *name);

/* turn.c: before obj is loaded, take over the maps of the monitor before. Returns 0 or a negative errno, -EINVAL if they differ. */
int turn_inherit(const struct sensors *s, struct bpf_object *obj);

/* turn.c: once the maps are loaded. Returns 0 or a negative errno. */
int turn_open(struct sensors *s);
void turn_close(struct sensors *s);

/* sensors_add_exe_name() in the map of that descriptor. */
int exe_names_add(int fd, int bits_fd, const char *name);

/*
 * iterators.c: run an iterator to its end, over the tasks of one process or, with pid 0, of all; over all too where
 * the kernel cannot restrict it. Returns 0 or a negative errno.
 */
int iterator_run(const struct sensors *s, const struct bpf_program *prog, pid_t pid);

/* prevent.c: before an object is loaded, turn on its preventing programs of this tier. */
void prevent_choose(struct bpf_object *obj, const char *tier);

#endif
