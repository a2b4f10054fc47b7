// SPDX-License-Identifier: BSD-2-Clause
/* incident_json.c - see incident_json.h. The product's own members are in unmapped.cachewarden. */
#include "report/incident_json.h"

#include "base/clock.h"
#include "base/macros.h"
#include "base/textw.h"
#include "policy/policy.h"
#include "report/actor_text.h"
#include "report/ocsf.h"

#include <string.h>

static const char *const endings[] = {
	[END_NOT] = NULL,
	[END_QUIET] = "no new event for a while",
	[END_ROOM] = "too many incidents at once: the least active one was closed",
	[END_MONITOR] = "the monitor ended",
	[END_HANDOVER] = "another monitor took over",
};

static void put_actor(struct jsonw *j, const struct actor *a)
{
	if (!a) {
		jsonw_null(j, "actor");
		return;
	}
	jsonw_object(j, "actor");
	jsonw_int(j, "pid", a->pid);
	jsonw_text(j, "comm", a->comm);
	jsonw_text(j, "exe", a->exe);
	jsonw_bool(j, "exe_deleted", a->exe_deleted);
	if (a->detailed)
		jsonw_int(j, "uid", a->uid);
	else
		jsonw_null(j, "uid");
	jsonw_text(j, "cmdline", a->cmdline);
	jsonw_text(j, "unit", a->unit);
	jsonw_text(j, "container", a->container);
	jsonw_text(j, "instance", a->instance);
	jsonw_int(j, "start_time", clock_epoch_ms(a->start_ns));
	jsonw_end_object(j);
}

static void put_action(struct jsonw *j, const struct action *a)
{
	jsonw_object(j, NULL);
	jsonw_string(j, "rule", rule_name(a->rule));
	jsonw_string(j, "stage", stage_name(a->stage));
	jsonw_string(j, "severity", severity_name(a->severity));
	jsonw_string(j, "verdict", verdict_name(a->verdict));
	jsonw_string(j, "what", a->summary);
	jsonw_int(j, "pid", a->actor ? a->actor->pid : 0);
	put_actor(j, a->actor);
	jsonw_int(j, "first", clock_epoch_ms(a->first_ns));
	jsonw_int(j, "last", clock_epoch_ms(a->last_ns));
	jsonw_int(j, "count", (int64_t)a->count);
	jsonw_end_object(j);
}

static void put_rules(struct jsonw *j, const struct incident *in)
{
	jsonw_object(j, "rules");
	for (unsigned int r = 0; r < RULE_MAX; r++) {
		if (in->rule_count[r])
			jsonw_int(j, rule_name(r), (int64_t)in->rule_count[r]);
	}
	jsonw_end_object(j);
}

static void put_correlations(struct jsonw *j, const struct incident_view *v)
{
	const struct incident *in = v->incident;
	char uid[OCSF_UID_LEN];

	jsonw_array(j, "stories");
	if (v->tenant) {
		jsonw_object(j, NULL);
		jsonw_string(j, "name", "cross-tenant");
		jsonw_string(j, "instance", v->tenant->name);
		jsonw_end_object(j);
	}
	for (unsigned int c = 0; c < CORRELATION_MAX; c++) {
		if (!(in->correlations >> c & 1))
			continue;
		ocsf_incident_uid(v->uid_prefix, in->related[c], uid);
		jsonw_object(j, NULL);
		jsonw_string(j, "name", correlation_name(c));
		jsonw_string(j, "began_in", uid);
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
}

/* The actor and target of each action. One that has neither is no evidence of anything. */
static void put_evidences(struct jsonw *j, const struct incident_view *v)
{
	const struct incident *in = v->incident;
	bool any = false;

	for (size_t i = 0; i < in->actions; i++) {
		const struct action *a = &in->action[i];

		if (!a->actor && !v->instance)
			continue;
		if (!any)
			jsonw_array(j, "evidences");
		any = true;
		jsonw_object(j, NULL);
		jsonw_string(j, "name", a->summary);
		if (a->actor) {
			jsonw_object(j, "actor");
			jsonw_object(j, "process");
			ocsf_actor(j, a->actor);
			jsonw_end_object(j);
			jsonw_end_object(j);
		}
		if (v->instance)
			ocsf_instance(j, v->instance);
		jsonw_end_object(j);
	}
	if (any)
		jsonw_end_array(j);
}

static void put_stages(struct jsonw *j, const struct incident *in)
{
	jsonw_object(j, "stages");
	for (unsigned int s = STAGE_NONE + 1; s < STAGE_MAX; s++) {
		if (in->stage_ns[s])
			jsonw_int(j, stage_name(s), clock_epoch_ms(in->stage_ns[s]));
	}
	jsonw_end_object(j);
}

static void put_instance(struct jsonw *j, const struct incident_view *v)
{
	if (!v->instance) {
		jsonw_null(j, "instance");
		return;
	}
	jsonw_object(j, "instance");
	jsonw_int(j, "id", v->incident->instance);
	jsonw_string(j, "name", v->instance->name);
	jsonw_string(j, "uid", v->instance->uid);
	jsonw_int(j, "pid", v->instance->pid);
	jsonw_end_object(j);
}

/* The headline without the " by " that event_actor_text() puts before it. */
static void put_headline(struct jsonw *j, const struct incident *in)
{
	static const char by[] = " by ";
	bool known = !strncmp(in->headline, by, strlen(by));

	jsonw_string(j, "who", known ? in->headline + strlen(by) : NULL);
}

void incident_own(struct jsonw *j, const struct incident_view *v)
{
	const struct incident *in = v->incident;

	jsonw_object(j, "cachewarden");
	jsonw_string(j, "kind", "incident");
	jsonw_string(j, "severity", severity_name(in->severity));
	jsonw_string(j, "stage", stage_name(in->stage));
	put_stages(j, in);
	put_rules(j, in);
	jsonw_int(j, "count", (int64_t)in->count);
	put_headline(j, in);
	put_actor(j, in->lead);
	put_instance(j, v);
	put_correlations(j, v);
	jsonw_array(j, "events");
	for (size_t i = 0; i < in->actions; i++)
		put_action(j, &in->action[i]);
	jsonw_end_array(j);
	jsonw_int(j, "left_out", (int64_t)in->left_out);
	jsonw_string(j, "closed_because", endings[in->end]);
	jsonw_end_object(j);
}

/* "A process reads the server's memory: redis-server:6379 by gdb(4711)" */
void incident_title(const struct incident_view *v, char buf[INCIDENT_TITLE_LEN])
{
	const struct actor *a = v->incident->lead;
	struct textw t = {buf, INCIDENT_TITLE_LEN, 0, false, false};

	textw_put(&t, "%s: %s", rule_title(v->incident->lead_rule, v->incident->lead_stage),
		  v->instance		  ? v->instance->name
		  : v->incident->instance ? "unknown instance"
					  : "this host");
	actor_title(&t, a);
}

static void put_observables(struct jsonw *j, const struct incident_view *v)
{
	const struct actor *a = v->incident->lead;
	const struct ocsf_observable o[] = {
		{"unmapped.cachewarden.actor.exe", "File Path", a ? a->exe : NULL},
		{"unmapped.cachewarden.actor.comm", "Process Name", a ? a->comm : NULL},
		{"resources[0].name", "Resource Name", v->instance ? v->instance->name : NULL},
	};

	ocsf_observables(j, o, ARRAY_SIZE(o));
}

const char *incident_json(const struct incident_view *v, struct report_buf *b, size_t *ret_len)
{
	const struct incident *in = v->incident;
	int64_t first_ms = clock_epoch_ms(in->first_ns), last_ms = clock_epoch_ms(in->last_ns);
	unsigned int rule = in->lead_rule;
	struct jsonw *j = &b->json;
	char uid[OCSF_UID_LEN], title[INCIDENT_TITLE_LEN];

	incident_title(v, title);
	ocsf_incident_uid(v->uid_prefix, in->id, uid);
	jsonw_reset(j);
	jsonw_object(j, NULL);
	ocsf_head(j, (enum ocsf_activity)(OCSF_CREATE + v->change), in->severity);
	jsonw_bool(j, "is_alert", true);
	jsonw_int(j, "time",
		  v->change == INCIDENT_OPENED ? first_ms : clock_epoch_ms(clock_boot_ns()));
	jsonw_int(j, "start_time", first_ms);
	jsonw_int(j, "end_time", last_ms);
	jsonw_int(j, "count", (int64_t)in->count);
	jsonw_string(j, "message", title);
	ocsf_finding_info(
		j, &(struct ocsf_finding){uid, title, rule, incident_rules(in), first_ms, last_ms});
	ocsf_remediation(j, rule, in->lead_stage);
	ocsf_resources(j, v->instance);
	put_evidences(j, v);
	put_observables(j, v);
	jsonw_object(j, "unmapped");
	incident_own(j, v);
	jsonw_end_object(j);
	jsonw_end_object(j);
	return jsonw_done(j, ret_len);
}
