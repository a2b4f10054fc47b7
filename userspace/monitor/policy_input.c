// SPDX-License-Identifier: BSD-2-Clause
/* policy_input.c - see policy_input.h. */
#include "monitor/policy_input.h"

#include "sensor/cgroup.h"
#include "base/digest.h"

#include <stdio.h>

void policy_input_instance(struct policy_input *ret, const struct instance *in)
{
	*ret = (struct policy_input){};
	if (!in)
		return;
	ret->instance = in->name;
	ret->instance_exe = in->exe;
	ret->instance_cgroup = in->cgroup;
	ret->port = in->port;
	ret->ports = in->ports;
}

/* Is it certain that the path names the file that runs? A deleted one may have been replaced. */
static bool whole(const struct path_place *exe)
{
	return exe->len && !(exe->flags & (PATH_DELETED | PATH_CUT));
}

static void actor(struct policy_input *s, struct finding *f, const struct policy *p, int cgroup_fd)
{
	const struct process_info *who = &f->alert->ev.actor;

	if (!cgroup_path(cgroup_fd, who->cgroup_id, f->cgroup, sizeof(f->cgroup)))
		s->cgroup = f->cgroup;
	s->uid = who->uid;
	if (whole(&who->exe))
		s->exe = f->exe;
	if (policy_needs_sha256(p, s->exe) &&
	    !digest_exe((pid_t)who->pid, who->start_ns, f->exe, who->exe_ino, f->sha256))
		s->sha256 = f->sha256;
	for (uint32_t i = 0; i < who->ancestors; i++) {
		if (whole(&who->ancestor[i].exe))
			s->ancestor[i] = f->ancestor_exe[i];
	}
	s->ancestors = who->ancestors;
}

void policy_input_opener(struct finding *f, const struct alert *plaintext)
{
	const struct process_info *who = plaintext ? &plaintext->ev.actor : NULL;

	if (who && plaintext->ev.flags & EVENT_ACTOR && whole(&who->exe))
		instance_exe_path(who, &who->exe, f->opener, sizeof(f->opener));
}

static const char *opener(struct finding *f, const char *actor_exe)
{
	const struct event *ev = &f->alert->ev;
	const char *exe = NULL;

	if (ev->conn.opened == OPENED_OUTBOUND && f->instance)
		exe = f->instance->exe;
	else if (ev->conn.opened == OPENED_INBOUND)
		exe = actor_exe;
	if (exe && ev->key.rule != RULE_TLS_LISTENER)
		snprintf(f->opener, sizeof(f->opener), "%s", exe);
	return f->opener[0] ? f->opener : NULL;
}

void policy_input_evaluate(struct finding *f, const struct policy *p, int cgroup_fd)
{
	const struct event *ev = &f->alert->ev;
	struct policy_input s;

	if (ev->key.rule == RULE_SELF_BLIND) { /* about no actor: nothing to allow */
		f->verdict = (struct verdict){.id = VERDICT_ALERT, .severity = f->severity};
		return;
	}
	policy_input_instance(&s, f->instance);
	s.rule = ev->key.rule;
	s.severity = f->severity;
	s.prevented = ev->flags & EVENT_PREVENTED;
	s.uid = POLICY_UNSET;
	if (ev->flags & EVENT_ACTOR)
		actor(&s, f, p, cgroup_fd);
	if (ev->flags & EVENT_CONN) {
		s.peer = ev->conn.ends.remote_ip;
		s.conn_owner = opener(f, s.exe);
	}
	policy_evaluate(p, &s, f->now_ms, &f->verdict);
	f->severity = f->verdict.severity;
}
