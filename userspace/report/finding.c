// SPDX-License-Identifier: BSD-2-Clause
/*
 * finding.c - see finding.h. What is shared by all outputs; the outputs are event_json.c and
 * event_text.c.
 */
#include "model/attempt.h"
#include "report/finding.h"

#include "base/clock.h"
#include "base/proc.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static void ip_text(const struct conn_info *c, const uint8_t *ip, char *buf, size_t size)
{
	if (c->ipv6)
		inet_ntop(AF_INET6, ip, buf, (socklen_t)size);
	else
		inet_ntop(AF_INET, ip + 12, buf, (socklen_t)size);
}

static void fill_ancestors(struct finding *f, const struct process_info *p)
{
	for (uint32_t i = 0; i < p->ancestors; i++) {
		const struct ancestor_info *a = &p->ancestor[i];

		f->ancestor_start_ms[i] = clock_epoch_ms(a->start_ns);
		instance_exe_path(p, &a->exe, f->ancestor_exe[i], PATH_LEN);
	}
}

void finding_fill(struct finding *f, const struct alert *a, const struct instance *in,
		  const struct instance *tenant)
{
	const struct event *ev = &a->ev;

	*f = (struct finding){
		.alert = a,
		.instance = in,
		.tenant = tenant,
		.severity = attempt_severity(ev),
		.update = a->id != 0,
		.time_ms = clock_epoch_ms(ev->time_ns),
		.now_ms = clock_epoch_ms(clock_boot_ns()),
	};
	attempt_vector(ev, f->vector, sizeof(f->vector));
	if (a->note[0])
		snprintf(f->detail, sizeof(f->detail), "%s", a->note);
	else
		attempt_detail(ev, f->detail, sizeof(f->detail));
	instance_exe_path(&ev->actor, &ev->object, f->object, sizeof(f->object));
	if (ev->flags & EVENT_CONN) {
		ip_text(&ev->conn, ev->conn.ends.local_ip, f->local_ip, sizeof(f->local_ip));
		ip_text(&ev->conn, ev->conn.ends.remote_ip, f->remote_ip, sizeof(f->remote_ip));
	}
	if (ev->flags & EVENT_ACTOR) {
		f->start_ms = clock_epoch_ms(ev->actor.start_ns);
		instance_exe_path(&ev->actor, &ev->actor.exe, f->exe, sizeof(f->exe));
		fill_ancestors(f, &ev->actor);
	} else if (ev->key.tgid) { /* details were lost; the key still tells who */
		f->start_ms = clock_epoch_ms(ev->key.actor);
		if (proc_exe((pid_t)ev->key.tgid, ev->key.actor, f->exe, sizeof(f->exe)))
			f->exe[0] = '\0';
	}
}
