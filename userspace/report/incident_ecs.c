// SPDX-License-Identifier: BSD-2-Clause
/* incident_ecs.c - see incident_ecs.h. Each report of an incident is a document; event.id is the same in all. */
#include "report/incident_ecs.h"

#include "base/clock.h"
#include "report/ecs.h"
#include "report/incident_json.h"
#include "report/ocsf.h"

static void put_actor(struct jsonw *j, const struct actor *a)
{
	if (!a)
		return;
	jsonw_object(j, "process");
	ecs_process(j, a);
	jsonw_end_object(j);
	if (a->container[0]) {
		jsonw_object(j, "container");
		jsonw_string(j, "id", a->container);
		jsonw_end_object(j);
	}
}

const char *incident_ecs(const struct incident_view *v, struct report_buf *b, size_t *ret_len)
{
	static const char *const actions[] = {
		[INCIDENT_OPENED] = "incident-opened",
		[INCIDENT_UPDATED] = "incident-updated",
		[INCIDENT_CLOSED] = "incident-closed",
	};
	const struct incident *in = v->incident;
	int64_t first_ms = clock_epoch_ms(in->first_ns);
	struct jsonw *j = &b->json;
	char uid[OCSF_UID_LEN], title[INCIDENT_TITLE_LEN];

	incident_title(v, title);
	ocsf_incident_uid(v->uid_prefix, in->id, uid);
	jsonw_reset(j);
	jsonw_object(j, NULL);
	ecs_head(j,
		 &(struct ecs_event){
			 .kind = "alert",
			 .dataset = "incident",
			 .id = uid,
			 .action = actions[v->change],
			 .message = title,
			 .rules = incident_rules(in),
			 .severity = in->severity,
			 .time_ms = v->change == INCIDENT_OPENED ? first_ms
								 : clock_epoch_ms(clock_boot_ns()),
			 .start_ms = first_ms,
			 .end_ms = clock_epoch_ms(in->last_ns),
		 });
	ecs_rule(j, in->lead_rule, in->lead_stage, incident_rules(in));
	ecs_service(j, v->instance);
	put_actor(j, in->lead);
	incident_own(j, v);
	jsonw_end_object(j);
	return jsonw_done(j, ret_len);
}
