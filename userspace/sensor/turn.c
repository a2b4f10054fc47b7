// SPDX-License-Identifier: BSD-2-Clause
/*
 * turn.c - hands the kernel side over from one monitor to the next: which of the two reports what happens
 * (bpf/lib/turn.bpf.h), and what the first has reported that still lasts.
 */
#include "sensor/sensors.h"

#include "sensor/sensors_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* In the order of enum turn_map. */
static const char *const names[TURN_MAPS] = {
	[TURN_MAP_TURNS] = "turns",	  [TURN_MAP_SEEN] = "turn_seen",
	[TURN_MAP_ATTEMPTS] = "attempts", [TURN_MAP_REPORTED] = "reported",
	[TURN_MAP_PROCS] = "procs",
};

/* Does the other one's map have the shape that this version's has? */
static int check_shape(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	return info.type == bpf_map__type(map) && info.key_size == bpf_map__key_size(map) &&
			       info.value_size == bpf_map__value_size(map) &&
			       info.max_entries == bpf_map__max_entries(map)
		       ? 0
		       : -EINVAL;
}

int turn_inherit(const struct sensors *s, struct bpf_object *obj)
{
	int err = 0;

	for (enum turn_map i = TURN_MAP_TURNS; s->before && i <= TURN_MAP_SEEN && !err; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, names[i]);

		err = map ? check_shape(map, s->before->map[i])
				      ?: bpf_map__reuse_fd(map, s->before->map[i])
			  : -ENOENT;
	}
	return err;
}

static __u64 *slot(struct sensors *s, uint32_t place)
{
	return &s->turns->from[place % TURNS];
}

int turn_open(struct sensors *s)
{
	uint32_t zero = 0;
	void *at = mmap(NULL, sizeof(*s->turns), PROT_READ | PROT_WRITE, MAP_SHARED,
			sensors_map_fd(s, "turns"), 0);

	if (at == MAP_FAILED)
		return -errno;
	s->turns = at;
	if (bpf_map_update_elem(sensors_map_fd(s, "turn_own"), &zero, &s->turn, BPF_ANY))
		return -errno;
	sensors_turn_ends(s, 0);
	if (!s->turn)
		sensors_turn_begins(s, TURN_FIRST);
	return 0;
}

void turn_close(struct sensors *s)
{
	if (s->turns)
		munmap(s->turns, sizeof(*s->turns));
	s->turns = NULL;
}

uint32_t sensors_turn(const struct sensors *s)
{
	return s->turn;
}

void sensors_turn_maps(const struct sensors *s, int ret[TURN_MAPS])
{
	for (size_t i = 0; i < TURN_MAPS; i++)
		ret[i] = sensors_map_fd(s, names[i]);
}

void sensors_turn_begins(struct sensors *s, uint64_t at_ns)
{
	s->turn_from = at_ns;
	__atomic_store_n(slot(s, s->turn), at_ns, __ATOMIC_SEQ_CST);
}

void sensors_turn_ends(struct sensors *s, uint64_t at_ns)
{
	s->turn_until = at_ns;
	__atomic_store_n(slot(s, s->turn + 1), at_ns, __ATOMIC_SEQ_CST);
}

bool sensors_turn_check(struct sensors *s)
{
	uint64_t from = __atomic_exchange_n(slot(s, s->turn), s->turn_from, __ATOMIC_SEQ_CST);
	uint64_t until = __atomic_exchange_n(slot(s, s->turn + 1), s->turn_until, __ATOMIC_SEQ_CST);

	return from == s->turn_from && until == s->turn_until;
}

void sensors_set_successor(struct sensors *s, pid_t pid)
{
	__atomic_store_n(&s->turns->successor, (uint32_t)pid, __ATOMIC_SEQ_CST);
}

void sensors_add_predecessor(struct sensors *s, pid_t pid)
{
	uint32_t key = (uint32_t)pid, what = CANDIDATE_PREDECESSOR;

	bpf_map_update_elem(sensors_map_fd(s, "candidates"), &key, &what, BPF_ANY);
}

/* --- what the other one has reported, with the numbers that instances have here --- */

struct pair {
	uint32_t theirs, ours;
};

struct numbers {
	struct pair *all;
	size_t count;
};

static int by_theirs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return x->theirs < y->theirs ? -1 : x->theirs > y->theirs;
}

/* Both know the same processes: an instance is the same if its main process is. */
static int numbers_learn(const struct sensors *s, int procs_fd, struct numbers *ret)
{
	int own = sensors_map_fd(s, "procs");
	struct member theirs, ours;
	uint32_t tgid, *last = NULL;
	size_t room = 0;

	while (!bpf_map_get_next_key(procs_fd, last, &tgid)) {
		last = &tgid;
		if (bpf_map_lookup_elem(procs_fd, &tgid, &theirs) || !theirs.main ||
		    theirs.instance == INSTANCE_SELF || bpf_map_lookup_elem(own, &tgid, &ours))
			continue;
		if (ret->count == room) {
			struct pair *all;

			room = room ? 2 * room : 64;
			all = reallocarray(ret->all, room, sizeof(*all));
			if (!all)
				return -ENOMEM;
			ret->all = all;
		}
		ret->all[ret->count++] = (struct pair){theirs.instance, ours.instance};
	}
	if (ret->count)
		qsort(ret->all, ret->count, sizeof(ret->all[0]), by_theirs);
	return 0;
}

/* Returns false if it has ended, or is not known here. */
static bool numbers_translate(const struct numbers *n, uint32_t *instance)
{
	struct pair wanted = {.theirs = *instance}, *found;

	if (*instance == INSTANCE_HOST || *instance == INSTANCE_SELF)
		return true;
	found = n->count ? bsearch(&wanted, n->all, n->count, sizeof(n->all[0]), by_theirs) : NULL;
	if (found)
		*instance = found->ours;
	return found;
}

/* States that its sweeps found: as long as they last, they are not found again. */
static int take_states(struct sensors *s, int fd, const struct numbers *n)
{
	struct attempt_key key, next, *last = NULL;
	bool more = !bpf_map_get_next_key(fd, last, &next);
	struct attempt state;

	for (size_t i = 0; more && i < ATTEMPTS_MAX; i++) {
		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (key.vector != VECTOR_SWEEP || bpf_map_lookup_elem(fd, &key, &state) ||
		    !state.sent || !numbers_translate(n, &key.instance))
			continue;
		if (bpf_map_update_elem(sensors_map_fd(s, "attempts"), &key, &state, BPF_NOEXIST) &&
		    errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* What its hooks reported: a sweep does not report that again. */
static int take_reported(struct sensors *s, int fd, const struct numbers *n)
{
	struct reported_key key, next, *last = NULL;
	bool more = !bpf_map_get_next_key(fd, last, &next);
	uint32_t one = 1;

	for (size_t i = 0; more && i < REPORTED_MAX; i++) {
		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (numbers_translate(n, &key.instance) &&
		    bpf_map_update_elem(sensors_map_fd(s, "reported"), &key, &one, BPF_ANY))
			return -errno;
	}
	return 0;
}

/* They are read with this version's keys and values. procs is as large as the host lets there be processes. */
static int check_shapes(const struct sensors *s, const int maps[TURN_MAPS])
{
	struct bpf_map_info own = {}, other = {};
	uint32_t len = sizeof(own);

	for (enum turn_map i = TURN_MAP_ATTEMPTS; i < TURN_MAPS; i++) {
		if (bpf_obj_get_info_by_fd(sensors_map_fd(s, names[i]), &own, &len) ||
		    bpf_obj_get_info_by_fd(maps[i], &other, &len))
			return -errno;
		if (own.key_size != other.key_size || own.value_size != other.value_size)
			return -EINVAL;
	}
	return 0;
}

int sensors_take_over(struct sensors *s, const int maps[TURN_MAPS])
{
	struct numbers n = {};
	int err = check_shapes(s, maps) ?: numbers_learn(s, maps[TURN_MAP_PROCS], &n)
			  ?: take_states(s, maps[TURN_MAP_ATTEMPTS], &n)
			  ?: take_reported(s, maps[TURN_MAP_REPORTED], &n);

	free(n.all);
	return err;
}
