// SPDX-License-Identifier: BSD-2-Clause
/* seal.c - the monitor protects itself as it protects servers. */
#include "base/macros.h"
#include "sensor/sensors.h"

#include "sensor/sensors_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>

/* Maps that nobody but the kernel side writes once all is set up: the rest of root may not either. */
static const char *const sealed[] = {
	"procs",       "pids",	       "candidates",	"exe_names",   "proc_files",
	"commands",    "user_helpers", "lost",		"counters",    "mapped",
	"sock_marks",  "path_scans",   "early_streams", "bystanders",  "resp_scans",
	"fd_searches", "prevented",    "open_checks",	"title_scans", "env_scans",
	"own_objects", "reported",     "evaluated",	"main_tgids",  "supervisors",
};

int sensors_enrol_self(struct sensors *s)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err =
		bpf_prog_test_run_opts(bpf_program__fd(sensors_program(s, "register_self")), &opts);

	return err ?: opts.retval ? -ENOSPC : 0;
}

/* Object ids stand at different places of the three kinds' descriptions. */
static int object_id(int fd, enum own_kind kind, uint32_t *ret)
{
	union {
		struct bpf_map_info map;
		struct bpf_prog_info prog;
		struct bpf_link_info link;
	} info = {};
	uint32_t len = kind == OWN_MAP	  ? sizeof(info.map)
		       : kind == OWN_PROG ? sizeof(info.prog)
					  : sizeof(info.link);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	*ret = kind == OWN_MAP ? info.map.id : kind == OWN_PROG ? info.prog.id : info.link.id;
	return 0;
}

/* Without the calls sensor nobody looks at bpf(2), which is said already. */
static int enter_object(struct sensors *s, int fd, enum own_kind kind)
{
	struct own_key key = {.kind = kind};
	uint32_t one = 1;
	int err;

	if (!s->calls || fd < 0)
		return 0;
	err = object_id(fd, kind, &key.id);
	if (err)
		return err;
	return bpf_map_update_elem(sensors_map_fd(s, "own_objects"), &key, &one, BPF_ANY) ? -errno
											  : 0;
}

static int enter_objects(struct sensors *s, const struct bpf_object *obj)
{
	struct bpf_program *prog;
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, obj) err = err ?: enter_object(s, bpf_map__fd(map), OWN_MAP);
	bpf_object__for_each_program(prog, obj) err =
		err ?: enter_object(s, bpf_program__fd(prog), OWN_PROG);
	return err;
}

/* Is that map one of these objects' too? Objects share maps, and what is frozen can be frozen no more. */
static bool has_map(struct bpf_object *const objs[], size_t n, const char *name, uint32_t id)
{
	uint32_t other = 0;

	for (size_t i = 0; i < n; i++) {
		int fd = bpf_object__find_map_fd_by_name(objs[i], name);

		if (fd >= 0 && !object_id(fd, OWN_MAP, &other) && other == id)
			return true;
	}
	return false;
}

/* Freeze the maps of objs[n] that none before it has. */
static int freeze_maps(struct bpf_object *const objs[], size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(sealed); i++) {
		int fd = bpf_object__find_map_fd_by_name(objs[n], sealed[i]), err;
		uint32_t id = 0;

		if (fd < 0)
			continue;
		err = object_id(fd, OWN_MAP, &id);
		if (!err && !has_map(objs, n, sealed[i], id) && bpf_map_freeze(fd))
			err = -errno;
		if (err)
			return err;
	}
	return 0;
}

int sensors_seal(struct sensors *s)
{
	int err = 0;

	for (size_t i = 0; i < s->object_count; i++)
		err = err ?: enter_objects(s, s->objects[i]);
	for (size_t i = 0; i < s->link_count; i++)
		err = err ?: enter_object(s, bpf_link__fd(s->links[i]), OWN_LINK);
	for (size_t i = 0; i < PREVENTERS_MAX; i++) {
		if (s->preventing[i])
			err = err ?: enter_object(s, bpf_link__fd(s->preventing[i]), OWN_LINK);
	}
	for (size_t i = 0; i < s->object_count; i++)
		err = err ?: freeze_maps(s->objects, i);
	return err;
}

/* A cgroup link that was detached still exists, but knows no cgroup; a link's program may be another's. */
static const char *link_lost(const struct bpf_link *link, const struct bpf_program *prog)
{
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info), id = 0;

	if (bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &len))
		return "its link is gone";
	if (object_id(bpf_program__fd(prog), OWN_PROG, &id) || info.prog_id != id)
		return "its link runs another program";
	if (info.type == BPF_LINK_TYPE_CGROUP && !info.cgroup.cgroup_id)
		return "it was detached";
	return NULL;
}

void sensors_check(struct sensors *s, void (*lost)(void *ctx, const struct sensor_program *p),
		   void *ctx)
{
	for (size_t i = 0; i < s->link_count; i++) {
		struct sensor_program *p = s->link_of[i];
		const char *why =
			p->attached ? link_lost(s->links[i], sensors_program(s, p->name)) : NULL;

		if (!why)
			continue;
		p->attached = false;
		snprintf(p->error, sizeof(p->error), "%s", why);
		lost(ctx, p);
	}
}
