// SPDX-License-Identifier: BSD-2-Clause
/* watch.c - see watch.h. */
#include "cmd/watch.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

bool watch_init(struct watch *w, const struct filter *filter)
{
	*w = (struct watch){.filter = *filter, .incidents = json_array(), .pane = PANE_INCIDENTS};
	return w->incidents;
}

void watch_free(struct watch *w)
{
	json_decref(w->status);
	json_decref(w->incidents);
	*w = (struct watch){};
}

static int64_t number(const json_t *in, const char *key)
{
	return json_integer_value(json_object_get(in, key));
}

static int64_t sum(const json_t *counts)
{
	const json_t *value;
	const char *name;
	int64_t n = 0;

	json_object_foreach ((json_t *)counts, name, value)
		n += json_integer_value(value);
	return n;
}

static void add_sample(struct watch *w, uint64_t now_ns)
{
	if (w->samples < WATCH_SAMPLES)
		w->samples++;
	memmove(&w->sample[1], &w->sample[0], (w->samples - 1) * sizeof(w->sample[0]));
	w->sample[0] = (struct watch_sample){
		.at_ns = now_ns,
		.events = number(json_object_get(w->status, "events"), "all"),
		.lost = sum(json_object_get(w->status, "lost")),
	};
}

/* Another monitor numbers from 1, and counts from 0. */
static void begin_monitor(struct watch *w)
{
	json_t *one;
	size_t i;

	w->samples = 0;
	w->seq = 0;
	json_array_foreach (w->incidents, i, one)
		json_object_set_new(one, "open", json_false());
}

static bool is_same(const json_t *a, const json_t *b)
{
	return number(a, "pid") == number(b, "pid") && number(a, "started") == number(b, "started");
}

void watch_status(struct watch *w, json_t *status, uint64_t now_ns)
{
	if (w->status && !is_same(w->status, status))
		begin_monitor(w);
	json_decref(w->status);
	w->status = status;
	w->why[0] = '\0';
	add_sample(w, now_ns);
}

/* It was reported before, and moves to the top. */
static void remove_uid(json_t *incidents, const char *uid)
{
	for (size_t i = 0; i < json_array_size(incidents); i++) {
		const char *other =
			json_string_value(json_object_get(json_array_get(incidents, i), "uid"));

		if (uid && other && !strcmp(uid, other)) {
			json_array_remove(incidents, i);
			return;
		}
	}
}

void watch_incidents(struct watch *w, const json_t *reply)
{
	const json_t *list = json_object_get(reply, "incidents");
	json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		if (!filter_incident(&w->filter, one))
			continue;
		remove_uid(w->incidents, json_string_value(json_object_get(one, "uid")));
		json_array_insert(w->incidents, 0, one);
		if (json_array_size(w->incidents) > WATCH_INCIDENTS)
			json_array_remove(w->incidents, WATCH_INCIDENTS);
		/* who reads further down stays there */
		if (w->top[PANE_INCIDENTS])
			w->top[PANE_INCIDENTS]++;
	}
	w->seq = (uint64_t)number(reply, "seq");
	w->older = number(reply, "gone");
}

void watch_silent(struct watch *w, const char *why, int64_t now_ms)
{
	if (!w->why[0])
		w->silent_ms = now_ms;
	snprintf(w->why, sizeof(w->why), "%s", why);
}

static void scroll(struct watch *w, long by)
{
	size_t *top = &w->top[w->pane], count = w->count[w->pane], size = w->size[w->pane];
	long last = count > size ? (long)(count - size) : 0, to = (long)*top + by;

	*top = (size_t)(to < 0 ? 0 : to > last ? last : to);
}

void watch_key(struct watch *w, enum watch_key key)
{
	long page = w->size[w->pane] ? (long)w->size[w->pane] : 1;

	if (key == KEY_OF_QUIT && !w->help)
		w->quit = true;
	else if (w->help && key != KEY_OF_NONE)
		w->help = false; /* any key */
	else if (key == KEY_OF_HELP)
		w->help = true;
	else if (key == KEY_OF_PANE)
		w->pane = w->pane == PANE_SERVERS ? PANE_INCIDENTS : PANE_SERVERS;
	else if (key == KEY_OF_UP || key == KEY_OF_DOWN)
		scroll(w, key == KEY_OF_UP ? -1 : 1);
	else if (key == KEY_OF_PAGE_UP || key == KEY_OF_PAGE_DOWN)
		scroll(w, key == KEY_OF_PAGE_UP ? -page : page);
	else if (key == KEY_OF_TOP || key == KEY_OF_END)
		scroll(w, key == KEY_OF_TOP ? -(long)w->count[w->pane] : (long)w->count[w->pane]);
}

/* The first sample that is old enough, or the oldest. */
static const struct watch_sample *earlier(const struct watch *w)
{
	size_t i = 0;

	while (i + 1 < w->samples &&
	       w->sample[0].at_ns - w->sample[i].at_ns < WATCH_RATE_S * NS_PER_SEC)
		i++;
	return &w->sample[i];
}

double watch_event_rate(const struct watch *w)
{
	const struct watch_sample *was = earlier(w), *is = &w->sample[0];

	if (w->samples < 2 || is->at_ns <= was->at_ns)
		return -1;
	return (double)(is->events - was->events) /
	       ((double)(is->at_ns - was->at_ns) / (double)NS_PER_SEC);
}

int64_t watch_lost_lately(const struct watch *w)
{
	return w->samples < 2 ? 0 : w->sample[0].lost - earlier(w)->lost;
}
