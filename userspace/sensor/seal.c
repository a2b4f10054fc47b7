// SPDX-License-Identifier: BSD-2-Clause
/*
 * seal.c - protects the monitor's own process and BPF objects.
 *
 * Every map that userspace need not write is frozen, so that not even root can change it by bpf(2). The ids of all maps,
 * programs and links are registered: the calls sensor reports whoever accesses one.
 */
#include "sensor/sensors.h"

#include "base/macros.h"
#include "sensor/sensors_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Maps that userspace writes while the monitor runs, or that the kernel does not freeze. All others are frozen. */
static const char *const writable_maps[] = {
	"events",	 "handshakes", /* the reader's position in the ring */
	"attempts",		       /* collector.c takes entries out */
	"baselined",	 "files",	 "disks",	 "main_tgids", /* maps.c */
	"prevent_rules",					       /* prevent.c */
	"turns",	 "turn_seen",	 "reported",	 /* turn.c, of the next monitor, too */
	"shares",	 "hoarders",			 /* maps.c */
	"mem_calls",					 /* has task work in it */
	"access_b.bss",	 "memory_b.bss", "sweep_bp.bss", /* the variables in struct sensors */
};

static bool is_writable(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(writable_maps); i++) {
		if (!strcmp(writable_maps[i], name))
			return true;
	}
	return false;
}

int sensors_register_self(struct sensors *s, const struct self_start *start)
{
	struct self_start copy = *start; /* the kernel writes it back */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &copy, .ctx_size_in = sizeof(copy));
	int err =
		bpf_prog_test_run_opts(bpf_program__fd(sensors_program(s, "register_self")), &opts);

	return err ?: opts.retval ? -ENOSPC : 0;
}

/* tag: of a program, may be NULL. */
static int object_id(int fd, enum own_kind kind, uint32_t *ret, uint64_t *tag)
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
	if (kind == OWN_PROG && tag)
		memcpy(tag, info.prog.tag, sizeof(*tag));
	return 0;
}

/* A negative fd (a program that is not loaded) is skipped. */
static int register_object(struct sensors *s, int fd, enum own_kind kind)
{
	struct own_key key = {.kind = kind};
	uint32_t one = 1, owner = TAG_MONITOR;
	uint64_t tag = 0;
	int err;

	if (fd < 0)
		return 0;
	err = object_id(fd, kind, &key.id, &tag);
	if (err)
		return err;
	if (tag && bpf_map_update_elem(sensors_map_fd(s, "known_tags"), &tag, &owner, BPF_ANY))
		return -errno;
	return bpf_map_update_elem(sensors_map_fd(s, "own_objects"), &key, &one, BPF_ANY) ? -errno
											  : 0;
}

static int register_maps_and_programs(struct sensors *s, const struct bpf_object *obj)
{
	struct bpf_program *prog;
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map (map, obj)
		err = err ?: register_object(s, bpf_map__fd(map), OWN_MAP);
	bpf_object__for_each_program (prog, obj)
		err = err ?: register_object(s, bpf_program__fd(prog), OWN_PROG);
	return err;
}

static int register_links(struct sensors *s)
{
	int err = 0;

	for (size_t i = 0; i < s->link_count; i++)
		err = err ?: register_object(s, bpf_link__fd(s->links[i]), OWN_LINK);
	for (size_t i = 0; i < PREVENTERS_MAX; i++) {
		if (s->preventer_links[i])
			err = err
				      ?: register_object(s, bpf_link__fd(s->preventer_links[i]),
							 OWN_LINK);
	}
	return err;
}

/*
 * The kernel does not freeze a map that is mapped writable, as libbpf maps global variables. Skeletons point into that
 * mapping, so it is replaced by a read-only one at the same address.
 */
static int map_read_only(struct bpf_map *map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size;
	void *at = (void *)bpf_map__initial_value(map, &size);

	if (!at ||
	    !(bpf_map__map_flags(map) & BPF_F_MMAPABLE)) /* only static variables: not mapped */
		return 0;
	size = (size + page - 1) / page * page;
	return mmap(at, size, PROT_READ, MAP_SHARED | MAP_FIXED, bpf_map__fd(map), 0) == MAP_FAILED
		       ? -errno
		       : 0;
}

/* Is this map one of an earlier object's, frozen with it? Objects share maps by name, see share_maps(). */
static bool is_shared(const struct sensors *s, size_t object, const struct bpf_map *map)
{
	for (size_t i = 0; !bpf_map__is_internal(map) && i < object; i++) {
		if (bpf_object__find_map_by_name(s->objects[i], bpf_map__name(map)))
			return true;
	}
	return false;
}

static int freeze_maps(struct sensors *s, size_t object)
{
	struct bpf_map *map;
	int err;

	bpf_object__for_each_map (map, s->objects[object]) {
		/* constants: libbpf has frozen them */
		if (is_writable(bpf_map__name(map)) || is_shared(s, object, map) ||
		    bpf_map__map_flags(map) & BPF_F_RDONLY_PROG)
			continue;
		err = map_read_only(map);
		if (!err && bpf_map_freeze(bpf_map__fd(map)))
			err = -errno;
		if (err)
			return err;
	}
	return 0;
}

/*
 * libbpf loads this program, which reads 8 bytes from address 0, to find out whether the kernel has
 * bpf_probe_read_kernel(). Every program built with it does, bpftool among them.
 */
static int register_harmless(struct sensors *s)
{
	static const uint8_t tag[BPF_TAG_SIZE] = {0x2a, 0x71, 0xda, 0x1e, 0x3f, 0x8d, 0x9d, 0xc0};
	uint32_t owner = TAG_HARMLESS;

	return bpf_map_update_elem(sensors_map_fd(s, "known_tags"), tag, &owner, BPF_ANY) ? -errno
											  : 0;
}

int sensors_seal(struct sensors *s)
{
	int err = s->calls ? register_harmless(s) : 0;

	/* without the calls sensor nothing observes bpf(2): coverage_report() says so */
	for (size_t i = 0; s->calls && i < s->object_count; i++)
		err = err ?: register_maps_and_programs(s, s->objects[i]);
	if (s->calls)
		err = err ?: register_links(s);
	for (size_t i = 0; i < s->object_count; i++)
		err = err ?: freeze_maps(s, i);
	return err;
}

/* A detached cgroup link still exists, without a cgroup. BPF_LINK_UPDATE can replace a link's program. */
static const char *why_detached(const struct bpf_link *link, const struct bpf_program *prog)
{
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info), id = 0;

	if (bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &len))
		return "its link is gone";
	if (object_id(bpf_program__fd(prog), OWN_PROG, &id, NULL) || info.prog_id != id)
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
		const char *why;

		if (!p->attached)
			continue;
		why = why_detached(s->links[i], sensors_program(s, p->name));
		if (!why)
			continue;
		p->attached = false;
		snprintf(p->error, sizeof(p->error), "%s", why);
		lost(ctx, p);
	}
}
