// SPDX-License-Identifier: BSD-2-Clause
/* incident_json.c - an incident as OCSF 1.8.0 Detection Finding, and flat under unmapped.cachewarden. */
#include "report/incident_view.h"

#include "base/clock.h"
#include "report/ocsf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const endings[] = {
	[END_NOT] = NULL,
	[END_QUIET] = "nothing came for a while",
	[END_ROOM] = "too many incidents at once: the one quiet longest was closed",
	[END_MONITOR] = "the monitor ends",
};

static void uid_text(const struct incident_view *v, uint64_t id, char *buf, size_t size)
{
	snprintf(buf, size, "%s-i%" PRIu64, v->uid_prefix, id);
}

static void put_action(struct jsonw *j, const struct action *d)
{
	jsonw_object(j, NULL);
	jsonw_string(j, "rule", rule_name(d->rule));
	jsonw_string(j, "stage", stage_name(d->stage));
	jsonw_string(j, "severity", severity_name(d->severity));
	jsonw_string(j, "verdict", verdict_name(d->verdict));
	jsonw_string(j, "what", d->summary);
	jsonw_int(j, "pid", d->pid);
	jsonw_int(j, "first", clock_epoch_ms(d->first_ns));
	jsonw_int(j, "last", clock_epoch_ms(d->last_ns));
	jsonw_int(j, "count", (int64_t)d->count);
	jsonw_end_object(j);
}

static uint32_t put_rules(struct jsonw *j, const struct incident *in)
{
	uint32_t rules = 0;

	jsonw_object(j, "rules");
	for (unsigned int r = 0; r < RULE_MAX; r++) {
		if (!in->rule_count[r])
			continue;
		rules |= 1u << r;
		jsonw_int(j, rule_name(r), (int64_t)in->rule_count[r]);
	}
	jsonw_end_object(j);
	return rules;
}

static void put_correlations(struct jsonw *j, const struct incident_view *v)
{
	const struct incident *in = v->incident;
	char uid[64];

	jsonw_array(j, "stories");
	if (v->tenant) {
		jsonw_object(j, NULL);
		jsonw_string(j, "name", "cross-tenant");
		jsonw_string(j, "instance", v->tenant->name);
		jsonw_end_object(j);
	}
	for (unsigned int s = 0; s < CORRELATION_MAX; s++) {
		if (!(in->correlations >> s & 1))
			continue;
		uid_text(v, in->related[s], uid, sizeof(uid));
		jsonw_object(j, NULL);
		jsonw_string(j, "name", correlation_name(s));
		jsonw_string(j, "began_in", uid);
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
}

/* OCSF's evidences: which process did it. */
static void put_evidences(struct jsonw *j, const struct incident *in)
{
	jsonw_array(j, "evidences");
	for (size_t i = 0; i < in->actions; i++) {
		jsonw_object(j, NULL);
		if (in->action[i].pid) {
			jsonw_object(j, "actor");
			jsonw_object(j, "process");
			jsonw_int(j, "pid", in->action[i].pid);
			jsonw_end_object(j);
			jsonw_end_object(j);
		}
		jsonw_string(j, "name", in->action[i].summary);
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
}

static uint32_t put_own(struct jsonw *j, const struct incident_view *v)
{
	const struct incident *in = v->incident;
	uint32_t rules;

	jsonw_object(j, "unmapped");
	jsonw_object(j, "cachewarden");
	jsonw_string(j, "kind", "incident");
	jsonw_string(j, "severity", severity_name(in->severity));
	jsonw_string(j, "stage", stage_name(in->stage));
	jsonw_object(j, "stages");
	for (unsigned int s = STAGE_LOOK; s < STAGE_MAX; s++) {
		if (in->stage_ns[s])
			jsonw_int(j, stage_name(s), clock_epoch_ms(in->stage_ns[s]));
	}
	jsonw_end_object(j);
	rules = put_rules(j, in);
	jsonw_int(j, "count", (int64_t)in->count);
	jsonw_string(j, "who", strncmp(in->actor, " by ", 4) ? NULL : in->actor + 4);
	if (v->instance) {
		jsonw_object(j, "instance");
		jsonw_int(j, "id", in->instance);
		jsonw_string(j, "name", v->instance->name);
		jsonw_int(j, "pid", v->instance->pid);
		jsonw_end_object(j);
	} else {
		jsonw_null(j, "instance");
	}
	put_correlations(j, v);
	jsonw_array(j, "events");
	for (size_t i = 0; i < in->actions; i++)
		put_action(j, &in->action[i]);
	jsonw_end_array(j);
	jsonw_int(j, "left_out", (int64_t)in->left_out);
	jsonw_string(j, "closed_because", endings[in->end]);
	jsonw_end_object(j);
	jsonw_end_object(j);
	return rules;
}

/* The rule that speaks for it: of the deed that went furthest. */
static unsigned int speaker(const struct incident *in)
{
	const struct action *best = NULL;

	for (size_t i = 0; i < in->actions; i++) {
		if (!best || in->action[i].stage > best->stage)
			best = &in->action[i];
	}
	return best ? best->rule : RULE_NONE;
}

const char *incident_json(const struct incident_view *v, struct jsonw *j, size_t *ret_len)
{
	const struct incident *in = v->incident;
	unsigned int rule = speaker(in);
	uint32_t rules;
	char uid[64];

	jsonw_reset(j);
	jsonw_object(j, NULL);
	ocsf_head(j, (enum ocsf_activity)(OCSF_CREATE + v->change), in->severity);
	jsonw_bool(j, "is_alert", true);
	jsonw_int(j, "time",
		  clock_epoch_ms(v->change == INCIDENT_OPENED ? in->first_ns : clock_boot_ns()));
	jsonw_int(j, "start_time", clock_epoch_ms(in->first_ns));
	jsonw_int(j, "end_time", clock_epoch_ms(in->last_ns));
	jsonw_int(j, "count", (int64_t)in->count);
	jsonw_string(j, "message", rule_title(rule));
	jsonw_object(j, "finding_info");
	uid_text(v, in->id, uid, sizeof(uid));
	jsonw_string(j, "uid", uid);
	jsonw_string(j, "title", rule_title(rule));
	jsonw_int(j, "first_seen_time", clock_epoch_ms(in->first_ns));
	jsonw_int(j, "last_seen_time", clock_epoch_ms(in->last_ns));
	jsonw_object(j, "analytic");
	jsonw_string(j, "uid", rule_name(rule));
	jsonw_string(j, "name", rule_title(rule));
	jsonw_int(j, "type_id", 1);
	jsonw_end_object(j);
	jsonw_end_object(j);
	put_evidences(j, in);
	rules = put_own(j, v);
	ocsf_attacks(j, rules);
	jsonw_end_object(j);
	return jsonw_done(j, ret_len);
}
