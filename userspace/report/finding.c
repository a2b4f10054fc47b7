// SPDX-License-Identifier: BSD-2-Clause
/* finding.c - see finding.h. */
#include "report/finding.h"

#include "base/clock.h"
#include "base/ip.h"
#include "base/proc.h"
#include "model/attempt.h"

#include <stdio.h>
#include <string.h>

static void fill_ancestors(struct finding *f, const struct process_info *p)
{
	for (uint32_t i = 0; i < p->ancestors; i++) {
		const struct ancestor_info *a = &p->ancestor[i];

		f->ancestor_start_ms[i] = clock_epoch_ms(a->start_ns);
		instance_exe_path(p, &a->exe, f->ancestor_exe[i], PATH_LEN);
	}
}

static void fill_actor(struct finding *f, const struct finding_source *source)
{
	const struct event *ev = &source->alert->ev;

	if (ev->flags & EVENT_ACTOR) {
		f->start_ms = clock_epoch_ms(ev->actor.start_ns);
		instance_exe_path(&ev->actor, &ev->actor.exe, f->exe, sizeof(f->exe));
		fill_ancestors(f, &ev->actor);
		snprintf(f->cgroup, sizeof(f->cgroup), "%s", source->actor_cgroup ?: "");
		policy_unit(f->cgroup, f->unit, sizeof(f->unit));
		policy_container(f->cgroup, f->container, sizeof(f->container));
	} else if (ev->key.tgid) { /* the event was lost; the key still identifies the process */
		f->start_ms = clock_epoch_ms(ev->key.actor);
		if (proc_exe((pid_t)ev->key.tgid, ev->key.actor, f->exe, sizeof(f->exe)))
			f->exe[0] = '\0';
	}
}

/* Without the event's details the key still names the process, except for packets: their key has none. */
bool finding_has_actor(const struct finding *f)
{
	const struct event *ev = &f->alert->ev;

	return (ev->flags & EVENT_ACTOR) || (!(ev->flags & EVENT_CONN) && ev->key.tgid);
}

struct actor finding_actor(const struct finding *f)
{
	const struct event *ev = &f->alert->ev;
	const struct process_info *p = &ev->actor;
	struct actor a = {
		.pid = ev->key.tgid,
		.start_ns = ev->key.actor,
		.exe = f->exe,
		.cmdline = "",
		.unit = f->unit,
		.container = f->container,
		.instance = f->tenant ? f->tenant->name : "",
	};

	if (!(ev->flags & EVENT_ACTOR))
		return a;
	a.detailed = true;
	a.pid = p->pid;
	a.uid = p->uid;
	a.start_ns = p->start_ns;
	a.kernel_thread = p->flags & PROCESS_KERNEL_THREAD;
	a.exe_deleted = p->exe.flags & PATH_DELETED;
	a.cmdline = ev->args.len ? ev->args.text : "";
	memcpy(a.comm, p->comm, sizeof(a.comm));
	return a;
}

bool finding_path_certain(const struct path_place *exe)
{
	return exe->len && !(exe->flags & (PATH_DELETED | PATH_CUT));
}

bool finding_actor_exe(const struct event *ev, char *buf, size_t size)
{
	buf[0] = '\0';
	if (!(ev->flags & EVENT_ACTOR) || !finding_path_certain(&ev->actor.exe))
		return false;
	return instance_exe_path(&ev->actor, &ev->actor.exe, buf, size) > 0;
}

/* The opener is the instance for an outbound connection, and the actor, its client, for an inbound one. */
static void fill_conn(struct finding *f, const struct alert *a)
{
	const struct event *ev = &a->ev;

	ip_text(ev->conn.ends.local_ip, ev->conn.ipv6, f->local_ip, sizeof(f->local_ip));
	ip_text(ev->conn.ends.remote_ip, ev->conn.ipv6, f->remote_ip, sizeof(f->remote_ip));
	if (ev->key.rule == RULE_TLS_LISTENER)
		snprintf(f->opener, sizeof(f->opener), "%s", a->opener ?: "");
	else if (ev->conn.opened == OPENED_OUTBOUND && f->instance)
		snprintf(f->opener, sizeof(f->opener), "%s", f->instance->exe);
	else if (ev->conn.opened == OPENED_INBOUND)
		finding_actor_exe(ev, f->opener, sizeof(f->opener));
}

void finding_fill(struct finding *f, const struct finding_source *source)
{
	const struct alert *a = source->alert;
	const struct event *ev = &a->ev;

	*f = (struct finding){
		.alert = a,
		.instance = source->instance,
		.tenant = source->tenant,
		.tls = source->tls,
		.uid_prefix = source->uid_prefix,
		.more = source->more,
		.update = source->update,
		.severity = attempt_severity(ev),
		.time_ms = clock_epoch_ms(ev->time_ns),
		.now_ms = clock_epoch_ms(clock_boot_ns()),
	};
	attempt_vector(ev, f->vector, sizeof(f->vector));
	if (a->note[0])
		snprintf(f->detail, sizeof(f->detail), "%s", a->note);
	else
		attempt_detail(ev, f->detail, sizeof(f->detail));
	instance_exe_path(&ev->actor, &ev->object, f->object, sizeof(f->object));
	fill_actor(f, source);
	if (ev->flags & EVENT_CONN)
		fill_conn(f, a);
}
