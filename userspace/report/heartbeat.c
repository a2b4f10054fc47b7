// SPDX-License-Identifier: BSD-2-Clause
/* heartbeat.c - see heartbeat.h. In OCSF one informational Detection Finding, created once and updated since. */
#include "report/heartbeat.h"

#include "base/clock.h"
#include "report/ecs.h"
#include "report/ocsf.h"

#include <inttypes.h>
#include <stdio.h>

const char *heartbeat_text(const struct heartbeat *h, struct report_buf *b, size_t *ret_len)
{
	struct textw t = {b->text, sizeof(b->text) - 2, 0, b->colour, false};
	char time[CLOCK_TEXT_LEN];

	report_time(b, &t);
	textw_colour(&t, report_colour(SEVERITY_INFO));
	textw_put(&t, "%-8s heartbeat %" PRIu64, severity_name(SEVERITY_INFO), h->number);
	textw_colour(&t, "0");
	textw_put(&t,
		  ": watching %" PRIu64 " instance%s, %" PRIu64 " events, %" PRIu64
		  " incidents, %" PRIu64 " lost, at most %" PRIu64 " ms behind",
		  h->instances, h->instances == 1 ? "" : "s", h->events, h->incidents, h->lost,
		  h->worst_lag_ms);
	if (!h->guarded)
		textw_put(&t, ", no guard");
	if (h->last_event_ms) {
		clock_text(h->last_event_ms, time, sizeof(time));
		textw_put(&t, ", last event at %s", time);
	}
	b->text[t.len++] = '\n';
	b->text[t.len] = '\0';
	*ret_len = t.len;
	return b->text;
}

static void put_own(struct jsonw *j, const struct heartbeat *h)
{
	jsonw_object(j, "cachewarden");
	jsonw_string(j, "kind", "heartbeat");
	jsonw_int(j, "number", (int64_t)h->number);
	jsonw_int(j, "interval_s", h->interval_s);
	jsonw_int(j, "instances", (int64_t)h->instances);
	jsonw_int(j, "events", (int64_t)h->events);
	jsonw_int(j, "incidents", (int64_t)h->incidents);
	jsonw_int(j, "lost", (int64_t)h->lost);
	jsonw_int(j, "lag_ms", (int64_t)h->worst_lag_ms);
	jsonw_bool(j, "guarded", h->guarded);
	if (h->last_event_ms) {
		jsonw_int(j, "last_event_time", h->last_event_ms);
		jsonw_string(j, "last_event", h->last_event);
	} else {
		jsonw_null(j, "last_event_time");
		jsonw_null(j, "last_event");
	}
	jsonw_end_object(j);
}

static const char title[] = "The monitor is alive";

const char *heartbeat_ecs(const struct heartbeat *h, struct report_buf *b, size_t *ret_len)
{
	struct jsonw *j = &b->json;
	char uid[OCSF_UID_LEN];

	snprintf(uid, sizeof(uid), "%s-heartbeat", h->uid_prefix);
	jsonw_reset(j);
	jsonw_object(j, NULL);
	ecs_head(j, &(struct ecs_event){.kind = "metric",
					.dataset = "heartbeat",
					.id = uid,
					.message = title,
					.severity = SEVERITY_INFO,
					.time_ms = h->time_ms,
					.start_ms = h->started_ms,
					.end_ms = ECS_NO_TIME});
	put_own(j, h);
	jsonw_end_object(j);
	return jsonw_done(j, ret_len);
}

const char *heartbeat_json(const struct heartbeat *h, struct report_buf *b, size_t *ret_len)
{
	struct jsonw *j = &b->json;
	char uid[OCSF_UID_LEN];

	snprintf(uid, sizeof(uid), "%s-heartbeat", h->uid_prefix);
	jsonw_reset(j);
	jsonw_object(j, NULL);
	ocsf_head(j, h->number == 1 ? OCSF_CREATE : OCSF_UPDATE, SEVERITY_INFO);
	jsonw_bool(j, "is_alert", false);
	jsonw_int(j, "time", h->time_ms);
	jsonw_int(j, "start_time", h->started_ms);
	jsonw_int(j, "count", (int64_t)h->number);
	jsonw_string(j, "message", title);
	jsonw_object(j, "finding_info");
	jsonw_string(j, "uid", uid);
	jsonw_string(j, "title", title);
	jsonw_int(j, "first_seen_time", h->started_ms);
	jsonw_int(j, "last_seen_time", h->time_ms);
	jsonw_end_object(j);
	jsonw_object(j, "unmapped");
	put_own(j, h);
	jsonw_end_object(j);
	jsonw_end_object(j);
	return jsonw_done(j, ret_len);
}
