// SPDX-License-Identifier: BSD-2-Clause
/* instance.c - see instance.h. */
#include "model/instance.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void instances_free(struct instances *is)
{
	for (size_t i = 0; i < is->count; i++)
		free(is->all[i]);
	free(is->all);
	*is = (struct instances){.boot = is->boot};
}

struct instance *instances_find(const struct instances *is, uint32_t id)
{
	for (size_t i = is->count; i-- > 0;) { /* the newest is looked up most often */
		if (is->all[i]->id == id)
			return is->all[i];
	}
	return NULL;
}

void instances_trim(struct instances *is)
{
	size_t alive = instances_alive(is), excess, kept = 0;

	if (is->count - alive <= INSTANCES_ENDED_MAX)
		return;
	excess = is->count - alive - INSTANCES_ENDED_MAX;
	for (size_t i = 0; i < is->count; i++) {
		if (excess && !is->all[i]->members) {
			free(is->all[i]);
			is->ended++;
			excess--;
		} else {
			is->all[kept++] = is->all[i];
		}
	}
	is->count = kept;
}

size_t instances_alive(const struct instances *is)
{
	size_t n = 0;

	for (size_t i = 0; i < is->count; i++)
		n += is->all[i]->members > 0;
	return n;
}

size_t instance_exe_path(const struct process_info *p, const struct path_place *place, char *buf,
			 size_t size)
{
	const char *parts[PATH_ROOM / 2 + 1], *begin = p->path + place->off;
	size_t used = 0, count = 0, len = place->len;

	buf[0] = '\0';
	if ((size_t)place->off + len > PATH_LEN)
		return 0;
	for (size_t at = 0; at < len && count < PATH_ROOM / 2;) {
		size_t n = strnlen(begin + at, len - at);

		if (n)
			parts[count++] = begin + at;
		at += n + 1;
	}
	if (place->flags & PATH_CUT && count)
		used += (size_t)snprintf(buf, size, "...");
	while (count-- > 0 && used < size) {
		size_t room = (size_t)(begin + len - parts[count]);

		used += (size_t)snprintf(buf + used, size - used, "/%.*s",
					 (int)strnlen(parts[count], room), parts[count]);
	}
	return used < size ? used : size - 1;
}

static struct instance *add(struct instances *is, uint32_t id)
{
	struct instance *in;

	if (is->count == is->room) {
		size_t room = is->room ? is->room * 2 : 8;
		struct instance **all = realloc(is->all, room * sizeof(*all));

		if (!all)
			return NULL;
		is->all = all;
		is->room = room;
	}
	in = calloc(1, sizeof(*in));
	if (!in)
		return NULL;
	in->id = id;
	is->all[is->count++] = in;
	return in;
}

static void base_name(const struct instance *in, char buf[INSTANCE_NAME])
{
	if (in->ports)
		snprintf(buf, INSTANCE_NAME, "%s:%u", in->called, in->port[0]);
	else
		snprintf(buf, INSTANCE_NAME, "%s", in->called);
}

static void full_name(const struct instance *in, char buf[INSTANCE_NAME])
{
	size_t used;

	base_name(in, buf);
	used = strlen(buf);
	if (in->place[0])
		used += (size_t)snprintf(buf + used, INSTANCE_NAME - used, "@%s", in->place);
	if (in->number)
		snprintf(buf + used, INSTANCE_NAME - used, "#%u", in->number);
}

static void rename_instance(const struct instances *is, struct instance *in)
{
	char full[INSTANCE_NAME];

	full_name(in, full);
	snprintf(in->uid, sizeof(in->uid), "%s/%s", full, is->boot ?: "");
	if (in->ambiguous)
		memcpy(in->name, full, sizeof(in->name));
	else
		base_name(in, in->name);
}

static bool is_number_taken(const struct instances *is, const struct instance *in)
{
	for (size_t i = 0; i < is->count; i++) {
		const struct instance *other = is->all[i];

		if (other != in && other->members && other->number == in->number && other->ports &&
		    other->port[0] == in->port[0] && !strcmp(other->called, in->called) &&
		    !strcmp(other->place, in->place))
			return true;
	}
	return false;
}

/* The smallest number that no other one in its place has: 0, or from 2 on. */
static void choose_number(const struct instances *is, struct instance *in)
{
	for (in->number = 0; is_number_taken(is, in);)
		in->number += in->number ? 1 : 2;
}

/*
 * Name an instance that listens. Where another running one has the same name, both get their places; two in the same
 * place, for which only a network namespace or SO_REUSEPORT can be the reason, a number.
 */
static void name_instance(struct instances *is, struct instance *in)
{
	in->number = 0;
	in->ambiguous = false;
	for (size_t i = 0; in->ports && i < is->count; i++) {
		struct instance *other = is->all[i];

		if (other == in || !other->members || !other->ports ||
		    other->port[0] != in->port[0] || strcmp(other->called, in->called))
			continue;
		in->ambiguous = other->ambiguous = true;
		rename_instance(is, other);
	}
	choose_number(is, in);
	rename_instance(is, in);
}

#define UNNUMBERED UINT_MAX

static bool is_named(const struct instance *in)
{
	return in->members && in->ports && in->place[0];
}

static struct instance *oldest_unnumbered(const struct instances *is)
{
	struct instance *oldest = NULL;

	for (size_t i = 0; i < is->count; i++) {
		struct instance *in = is->all[i];

		if (is_named(in) && in->number == UNNUMBERED &&
		    (!oldest || in->start_ns < oldest->start_ns))
			oldest = in;
	}
	return oldest;
}

void instances_number(struct instances *is, instance_number_fn known, const void *ctx)
{
	struct instance *in;

	for (size_t i = 0; i < is->count; i++) {
		if (is_named(is->all[i]))
			is->all[i]->number = UNNUMBERED;
	}
	for (size_t i = 0; i < is->count; i++) {
		int number = is_named(is->all[i]) ? known(ctx, is->all[i]) : -1;

		if (number < 0)
			continue;
		is->all[i]->number = (unsigned int)number;
		if (is_number_taken(is, is->all[i]))
			is->all[i]->number = UNNUMBERED;
	}
	while ((in = oldest_unnumbered(is)))
		choose_number(is, in);
	for (size_t i = 0; i < is->count; i++)
		rename_instance(is, is->all[i]);
}

void instances_place(struct instances *is, struct instance *in, const char *place)
{
	snprintf(in->place, sizeof(in->place), "%s", place[0] ? place : "host");
	name_instance(is, in);
}

/* The kernel cuts comm to 15 bytes. */
static void call_instance(struct instance *in)
{
	const char *slash = strrchr(in->exe, '/'), *file = slash ? slash + 1 : in->exe;
	size_t len = strlen(in->comm);
	bool cut = len == COMM_LEN - 1 && !strncmp(file, in->comm, len);

	snprintf(in->called, sizeof(in->called), "%.*s", INSTANCE_CALLED - 1,
		 cut ? file : in->comm);
}

static void take_process(const struct instances *is, struct instance *in, const struct event *ev)
{
	const struct process_info *p = &ev->actor;

	in->pid = p->pid;
	in->start_ns = p->start_ns;
	in->cgroup_id = p->cgroup_id;
	in->exe_ino = p->exe_ino;
	in->exe_dev = p->exe_dev;
	in->user = p->uid;
	in->account = ev->server.account;
	memcpy(in->comm, p->comm, COMM_LEN);
	in->comm[COMM_LEN - 1] = '\0';
	instance_exe_path(p, &p->exe, in->exe, sizeof(in->exe));
	call_instance(in);
	rename_instance(is, in);
}

static void begin_start(struct instance *in, const struct event *ev)
{
	in->began_ns = ev->time_ns;
	in->listen_ns = 0;
	in->found_running = ev->flags & EVENT_FOUND_BY_SWEEP;
	in->baselined = false;
	in->described = false;
	in->mnt_ns = ev->fd;
	instance_exe_path(&ev->actor, &ev->object, in->cwd, sizeof(in->cwd));
}

/*
 * A listener found by a sweep may have been handed down by a supervisor: the server may not even have mapped its
 * libraries. Only one that the server opens itself says how far the start is.
 */
static enum instance_change add_port(struct instances *is, struct instance *in, uint16_t port,
				     const struct event *ev)
{
	if (!in->listen_ns && !(ev->flags & EVENT_FOUND_BY_SWEEP))
		in->listen_ns = ev->time_ns;
	for (size_t i = 0; i < in->ports; i++) {
		if (in->port[i] == port)
			return INSTANCE_SAME;
	}
	if (in->ports < INSTANCE_PORTS) {
		memcpy(in->ip[in->ports], ev->conn.ends.local_ip, sizeof(in->ip[0]));
		in->port[in->ports++] = port;
	}
	if (in->ports == 1)
		name_instance(is, in);
	return INSTANCE_LISTENS;
}

/* 1 << index of a port it listens on, 0: none. */
static uint32_t port_bit(const struct instance *in, uint16_t port)
{
	for (uint32_t i = 0; i < in->ports; i++) {
		if (in->port[i] == port)
			return 1u << i;
	}
	return 0;
}

bool instance_listens(const struct instance *in, uint16_t port)
{
	return port_bit(in, port);
}

bool instance_serves_plain(const struct instance *in, uint16_t port)
{
	return in->plain & port_bit(in, port);
}

void instance_set_serves_plain(struct instance *in, uint16_t port)
{
	in->plain |= port_bit(in, port);
}

void instance_set_serves_tls(struct instance *in, uint16_t port)
{
	in->secure |= port_bit(in, port);
}

static enum instance_change member_left(struct instance *in, const struct process_info *p)
{
	if (in->members)
		in->members--;
	if (p->pid == in->last_child) {
		in->last_child = 0;
	} else if (p->pid == in->pid && in->last_child) { /* it daemonized */
		in->pid = in->last_child;
		in->start_ns = in->last_child_start_ns;
		in->last_child = 0;
	}
	return in->members ? INSTANCE_SAME : INSTANCE_ENDED;
}

void instance_program(const struct instance *in, char *buf, size_t size)
{
	if (in->started_as[0])
		snprintf(buf, size, "%s (%s)", in->started_as, in->exe);
	else
		snprintf(buf, size, "%s", in->exe);
}

void instance_self(struct instance *ret, uint32_t pid, const char *exe)
{
	*ret = (struct instance){.id = INSTANCE_SELF, .pid = pid, .members = 1};
	snprintf(ret->comm, sizeof(ret->comm), "cachewarden");
	snprintf(ret->called, sizeof(ret->called), "%s", ret->comm);
	snprintf(ret->exe, sizeof(ret->exe), "%s", exe);
	rename_instance(&(struct instances){}, ret);
}

bool instance_started(const struct instance *in, uint64_t now_ns)
{
	return in->found_running || (in->listen_ns && now_ns >= in->listen_ns + INSTANCE_LOAD_NS) ||
	       now_ns >= in->began_ns + INSTANCE_START_NS;
}

enum instance_change instances_apply(struct instances *is, const struct event *ev,
				     struct instance **ret)
{
	struct instance *in = instances_find(is, ev->key.instance);
	bool known = in != NULL;

	if (!in) {
		in = add(is, ev->key.instance);
		*ret = in;
		if (!in)
			return INSTANCE_UNKNOWN;
	}
	*ret = in;
	switch (ev->type) {
	case EVENT_INSTANCE:
		if (known && in->members) {
			in->ports = in->plain = in->secure = 0;
			in->tls = false;
			in->ambiguous = false;
			in->number = 0;
			begin_start(in, ev);
			take_process(is, in, ev);
			return INSTANCE_REEXECUTED;
		}
		take_process(is, in, ev);
		in->members = 1;
		begin_start(in, ev);
		return INSTANCE_STARTED;
	case EVENT_FORK:
		if (!known)
			take_process(is, in, ev);
		in->members++;
		in->last_child = ev->actor.pid;
		in->last_child_start_ns = ev->actor.start_ns;
		return known ? INSTANCE_SAME : INSTANCE_UNKNOWN;
	case EVENT_EXEC:
	case EVENT_EXIT:
		return member_left(in, &ev->actor);
	case EVENT_LISTEN:
		return add_port(is, in, ev->conn.ends.local_port, ev);
	default:
		return INSTANCE_SAME;
	}
}
