// SPDX-License-Identifier: BSD-2-Clause
/*
 * sink_alertmanager.c - Prometheus Alertmanager, by its API v2: an incident is an alert that fires until the incident is
 * closed. Alertmanager keeps alerts in memory and lets them expire, so those that fire are sent again and again, as
 * Prometheus does: one that restarted has them back soon, and they end by themselves when this host falls silent.
 *
 * The heartbeat is an alert, too, which always fires: a route can turn its absence into a page. Events of --events are
 * not alerts and stay out; blind spots, which have no end, expire.
 */
#include "report/http_post.h"

#include "base/clock.h"
#include "base/macros.h"
#include "report/notice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define API "/api/v2/alerts"
#define FIRING_MAX 256 /* incidents that are sent again; the monitor has 1,024 open at most */
#define AGAIN_NS (20 * NS_PER_SEC)
#define EXPIRES_MS (300 * 1000ll)	 /* after it was sent last */
#define BLIND_EXPIRES_MS (3600 * 1000ll) /* nobody says that a blind spot is over */
#define HEARTBEAT_LASTS_MS 3000		 /* of each second between two */

struct alert {
	json_t *labels; /* its identity, for Alertmanager */
	json_t *annotations;
	int64_t start_ms;
};

struct alertmanager {
	struct http_post *http;
	struct alert firing[FIRING_MAX];
	size_t count;
	uint64_t again_ns;
};

static void drop(struct alert *a)
{
	json_decref(a->labels);
	json_decref(a->annotations);
	*a = (struct alert){};
}

static void alertmanager_free(void *state)
{
	struct alertmanager *m = state;

	for (size_t i = 0; i < m->count; i++)
		drop(&m->firing[i]);
	http_post_free(m->http);
	free(m);
}

static bool alertmanager_open(const struct policy_sink *config, const struct policy_target *target,
			      void **ret_state, char error[TRANSPORT_ERROR_LEN])
{
	struct alertmanager *m = calloc(1, sizeof(*m));
	char url[512];
	size_t len = strlen(target->rest);

	while (len && target->rest[len - 1] == '/')
		len--;
	snprintf(url, sizeof(url), "%.*s" API, (int)len, target->rest);
	if (m)
		m->http = http_post_new(config, url, error);
	else
		snprintf(error, TRANSPORT_ERROR_LEN, "%s", strerror(ENOMEM));
	if (!m || !m->http) {
		free(m);
		return false;
	}
	*ret_state = m;
	return true;
}

/* --- an alert --- */

static json_t *time_json(int64_t ms)
{
	char text[CLOCK_UTC_LEN];

	clock_text_utc(ms, text);
	return json_string(text);
}

static void set_field(json_t *object, const struct notice *n, enum notice_field field)
{
	if (n->text[field])
		json_object_set_new(object, notice_field_name(field), json_string(n->text[field]));
}

static json_t *labels_of(const struct notice *n)
{
	static const enum notice_field fields[] = {NOTICE_HOST, NOTICE_SEVERITY, NOTICE_RULE,
						   NOTICE_INSTANCE, NOTICE_ID};
	json_t *labels = json_object();

	json_object_set_new(labels, "alertname",
			    json_string(n->heartbeat ? "CachewardenHeartbeat"
					: !strcmp(n->text[NOTICE_KIND], "incident")
						? "CachewardenIncident"
						: "CachewardenBlindSpot"));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!n->heartbeat || fields[i] == NOTICE_HOST)
			set_field(labels, n, fields[i]);
	}
	return labels;
}

static json_t *annotations_of(const struct notice *n)
{
	json_t *annotations = json_object();

	json_object_set_new(annotations, "summary", json_string(n->title));
	if (n->advice)
		json_object_set_new(annotations, "description", json_string(n->advice));
	for (unsigned int f = NOTICE_INSTANCE_UID; f < NOTICE_HOST; f++)
		set_field(annotations, n, f);
	return annotations;
}

static json_t *alert_json(const struct alert *a, int64_t ends_ms)
{
	json_t *j = json_object();

	json_object_set(j, "labels", a->labels);
	json_object_set(j, "annotations", a->annotations);
	json_object_set_new(j, "startsAt", time_json(a->start_ms));
	json_object_set_new(j, "endsAt", time_json(ends_ms));
	return j;
}

/* Sends an array of alerts and frees it. */
static enum sent post(struct alertmanager *m, json_t *alerts, char *error)
{
	char *body = json_dumps(alerts, JSON_COMPACT);
	enum sent sent = SENT_LATER;

	json_decref(alerts);
	if (body)
		sent = http_post_send(m->http, NULL, 0, body, strlen(body), error);
	else
		snprintf(error, TRANSPORT_ERROR_LEN, "%s", strerror(ENOMEM));
	free(body);
	return sent;
}

/* --- those that fire --- */

static int64_t now_ms(void)
{
	return clock_epoch_ms(clock_boot_ns());
}

static const char *id_of(const struct alert *a)
{
	return json_string_value(json_object_get(a->labels, notice_field_name(NOTICE_ID)));
}

static struct alert *find(struct alertmanager *m, const char *id)
{
	for (size_t i = 0; i < m->count; i++) {
		if (!strcmp(id_of(&m->firing[i]), id))
			return &m->firing[i];
	}
	return NULL;
}

/* Takes a over. The oldest makes room: it fires until it expires. */
static void keep(struct alertmanager *m, struct alert *place, const struct alert *a)
{
	if (place) {
		drop(place);
	} else if (m->count < FIRING_MAX) {
		place = &m->firing[m->count++];
	} else {
		drop(&m->firing[0]);
		memmove(m->firing, m->firing + 1, (FIRING_MAX - 1) * sizeof(m->firing[0]));
		place = &m->firing[FIRING_MAX - 1];
	}
	*place = *a;
}

static void forget(struct alertmanager *m, struct alert *place)
{
	size_t behind;

	if (!place)
		return;
	drop(place);
	behind = (size_t)(m->firing + --m->count - place);
	memmove(place, place + 1, behind * sizeof(*place)); /* the first is the oldest */
	m->firing[m->count] = (struct alert){};
}

/* An incident whose severity or rule changed is another alert: the one it was is resolved. */
static enum sent send_incident(struct alertmanager *m, const struct notice *n, char *error)
{
	struct alert a = {labels_of(n), annotations_of(n), n->start_ms},
		     *was = find(m, n->text[NOTICE_ID]);
	json_t *alerts = json_array();
	enum sent sent;

	if (was && !json_equal(was->labels, a.labels))
		json_array_append_new(alerts, alert_json(was, now_ms()));
	json_array_append_new(alerts, alert_json(&a, n->closed ? now_ms() : now_ms() + EXPIRES_MS));
	sent = post(m, alerts, error);
	if (sent != SENT || n->closed)
		drop(&a);
	else
		keep(m, was, &a);
	if (sent == SENT && n->closed)
		forget(m, was);
	return sent;
}

static enum sent send_passing(struct alertmanager *m, const struct notice *n, char *error)
{
	int64_t lasts_ms = n->heartbeat ? HEARTBEAT_LASTS_MS * n->interval_s : BLIND_EXPIRES_MS;
	struct alert a = {labels_of(n), annotations_of(n), n->start_ms};
	json_t *alerts = json_array();
	enum sent sent;

	json_array_append_new(alerts, alert_json(&a, now_ms() + lasts_ms));
	sent = post(m, alerts, error);
	drop(&a);
	return sent;
}

static enum sent alertmanager_send(void *state, const char *json, size_t len,
				   char error[TRANSPORT_ERROR_LEN])
{
	struct alertmanager *m = state;
	enum sent sent = SENT;
	struct notice n;

	if (!notice_parse(&n, json, len)) {
		snprintf(error, TRANSPORT_ERROR_LEN, "%s", strerror(EBADMSG));
		sent = SENT_REFUSED;
	} else if (!strcmp(n.text[NOTICE_KIND], "incident")) {
		sent = send_incident(m, &n, error);
	} else if (n.heartbeat ||
		   (n.text[NOTICE_RULE] && !strcmp(n.text[NOTICE_RULE], "self-blind"))) {
		sent = send_passing(m, &n, error);
	}
	notice_free(&n);
	return sent;
}

static bool alertmanager_tick(void *state, char error[TRANSPORT_ERROR_LEN])
{
	struct alertmanager *m = state;
	uint64_t now = clock_mono_ns();
	json_t *alerts;

	if (!m->count || now < m->again_ns)
		return true;
	alerts = json_array();
	for (size_t i = 0; i < m->count; i++)
		json_array_append_new(alerts, alert_json(&m->firing[i], now_ms() + EXPIRES_MS));
	if (post(m, alerts, error) != SENT)
		return false;
	m->again_ns = now + AGAIN_NS;
	return true;
}

const struct transport transport_alertmanager = {
	.open = alertmanager_open,
	.free = alertmanager_free,
	.send = alertmanager_send,
	.tick = alertmanager_tick,
};
