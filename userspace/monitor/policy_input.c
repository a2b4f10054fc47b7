// SPDX-License-Identifier: BSD-2-Clause
/* policy_input.c - see policy_input.h. */
#include "monitor/policy_input.h"

void policy_input_instance(struct policy_input *ret, const struct instance *in)
{
	*ret = (struct policy_input){};
	if (!in)
		return;
	ret->instance = in->name;
	ret->instance_uid = in->uid;
	ret->instance_exe = in->exe;
	ret->instance_started_as = in->started_as[0] ? in->started_as : NULL;
	ret->instance_cgroup = in->cgroup;
	ret->port = in->port;
	ret->ports = in->ports;
}

static void fill_actor(struct policy_input *ret, const struct finding *f)
{
	const struct process_info *actor = &f->alert->ev.actor;

	ret->uid = actor->uid;
	if (f->cgroup[0])
		ret->cgroup = f->cgroup;
	if (finding_path_certain(&actor->exe))
		ret->exe = f->exe;
	for (uint32_t i = 0; i < actor->ancestors; i++) {
		if (finding_path_certain(&actor->ancestor[i].exe))
			ret->ancestor[i] = f->ancestor_exe[i];
	}
	ret->ancestors = actor->ancestors;
}

void policy_input_finding(struct policy_input *ret, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;

	policy_input_instance(ret, f->instance);
	ret->rule = ev->key.rule;
	ret->severity = f->severity;
	ret->prevented = ev->flags & EVENT_PREVENTED;
	ret->routine = f->routine;
	ret->uid = POLICY_UNSET;
	if (ev->flags & EVENT_ACTOR)
		fill_actor(ret, f);
	if (ev->flags & EVENT_CONN) {
		ret->peer = ev->conn.ends.remote_ip;
		ret->peer_port = ev->conn.ends.remote_port;
		ret->conn_owner = f->opener[0] ? f->opener : NULL;
	}
}
