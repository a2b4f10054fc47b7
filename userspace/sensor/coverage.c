// SPDX-License-Identifier: BSD-2-Clause
/* coverage.c - see coverage.h. */
#include "sensor/coverage.h"

#include "model/alert.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

/* "memory 8/8, wire 5/5": programs attached, of those in the table. Programs of a sensor are adjacent there. */
static void coverage_text(const struct sensor_program *p, size_t n, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < n && used < size;) {
		size_t first = i, attached = 0;

		for (; i < n && !strcmp(p[i].sensor, p[first].sensor); i++)
			attached += p[i].attached;
		used += (size_t)snprintf(buf + used, size - used, "%s%s %zu/%zu", first ? ", " : "",
					 p[first].sensor, attached, i - first);
	}
}

size_t sensors_parts(const struct sensors *s, struct sensor_part ret[SENSOR_PARTS_MAX])
{
	const struct sensor_program *p;
	size_t n = sensors_programs(s, &p), parts = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < parts &&
		       (strcmp(ret[k].sensor, p[i].sensor) || strcmp(ret[k].tier, p[i].tier)))
			k++;
		if (k == SENSOR_PARTS_MAX)
			continue;
		if (k == parts)
			ret[parts++] = (struct sensor_part){p[i].sensor, p[i].tier, 0, 0};
		ret[k].programs++;
		ret[k].attached += p[i].attached;
	}
	return parts;
}

void coverage_json(const struct sensors *s, struct jsonw *j)
{
	struct sensor_part part[SENSOR_PARTS_MAX];
	size_t n = sensors_parts(s, part);

	jsonw_array(j, "sensors");
	for (size_t i = 0; i < n; i++) {
		jsonw_object(j, NULL);
		jsonw_string(j, "sensor", part[i].sensor);
		jsonw_string(j, "tier", part[i].tier);
		jsonw_int(j, "programs", (int64_t)part[i].programs);
		jsonw_int(j, "attached", (int64_t)part[i].attached);
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
}

void coverage_note(const struct sensor_program *p, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s not attached, unseen: %s", p->sensor, p->name, p->unseen);
}

void coverage_report(const struct sensors *s, size_t instances,
		     void (*blind_spot)(void *ctx, const char *note, uint64_t total), void *ctx)
{
	const struct sensor_program *p;
	size_t n = sensors_programs(s, &p), missing = 0;
	char note[ALERT_NOTE_LEN], counts[128];

	for (size_t i = 0; i < n; i++) {
		if (p[i].attached)
			continue;
		missing++;
		log_warn("%s/%s not attached, not covered: %s (%s)", p[i].sensor, p[i].name,
			 p[i].unseen, p[i].error);
		coverage_note(&p[i], note, sizeof(note));
		blind_spot(ctx, note, 1);
	}
	if (!sensors_knows_uprobes(s))
		blind_spot(
			ctx,
			"uprobes planted on servers before the monitor started: the mm flag that marks them is unknown",
			1);
	coverage_text(p, n, counts, sizeof(counts));
	log_info("watching %zu instance%s, coverage %s: %s", instances, instances == 1 ? "" : "s",
		 missing ? "partial" : "full", counts);
}
