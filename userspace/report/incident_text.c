// SPDX-License-Identifier: BSD-2-Clause
/*
 * incident_text.c - see incident_text.h. A block says how the incident began and what is new; the last one sums it up.
 * Headlines and summaries need no escaping here: event_text.c has escaped them.
 */
#include "report/incident_text.h"

#include "base/clock.h"
#include "base/textw.h"
#include "report/actor_text.h"

#include <inttypes.h>

static void put_head(struct textw *t, const struct incident_view *v, const char *change)
{
	const struct incident *in = v->incident;

	textw_colour(t, report_colour(in->severity));
	textw_put(t, "%-8s incident %" PRIu64 " %s", severity_name(in->severity), in->id, change);
	textw_colour(t, "0");
	if (v->instance)
		textw_put(t, ": %s(%u)", v->instance->name, v->instance->pid);
	else
		textw_put(t, ": %s", in->instance ? "(unknown instance)" : "this host");
}

/* The actions not yet reported, one line each. Returns how many there are. */
static size_t put_actions(struct report_buf *b, struct textw *t, const struct incident *in)
{
	size_t n = 0;

	for (size_t i = 0; i < in->actions; i++) {
		const struct action *a = &in->action[i];

		if (a->reported)
			continue;
		n++;
		textw_put(t, "    %-6s %s", stage_name(a->stage) ?: "", a->summary);
		if (a->actor) {
			textw_put(t, ", by ");
			actor_text(t, a->actor);
		}
		if (a->count > 1)
			textw_put(t, " [%" PRIu64 " times]", a->count);
		report_age(b, t, clock_epoch_ms(a->first_ns));
		textw_put(t, "\n");
	}
	return n;
}

/* What to do; repeated only when another rule becomes the worst. */
static void put_advice(struct textw *t, const struct incident *in)
{
	if (!in->lead_reported)
		textw_put(t, "    do: %s\n", rule_advice(in->lead_rule, in->lead_stage));
}

static void put_correlations(struct textw *t, const struct incident_view *v)
{
	if (v->tenant)
		textw_put(t, "    cross-tenant: the actor is instance %s(%u)\n", v->tenant->name,
			  v->tenant->pid);
	for (unsigned int c = 0; c < CORRELATION_MAX; c++) {
		if (!(v->incident->correlations >> c & 1))
			continue;
		textw_put(t, "    %s", correlation_name(c));
		if (v->incident->related[c] != v->incident->id)
			textw_put(t, " (it began in incident %" PRIu64 ")",
				  v->incident->related[c]);
		textw_put(t, "\n");
	}
}

static void put_summary(struct textw *t, const struct incident *in)
{
	uint64_t seconds =
		in->last_ns > in->first_ns ? (in->last_ns - in->first_ns) / NS_PER_SEC : 0;
	const char *separator = "";

	textw_put(t, ", %" PRIu64 " event%s in %" PRIu64 " s, reached %s\n    ", in->count,
		  in->count == 1 ? "" : "s", seconds, stage_name(in->stage) ?: "nothing");
	for (unsigned int r = 0; r < RULE_MAX; r++) {
		if (!in->rule_count[r])
			continue;
		textw_put(t, "%s%s %" PRIu64, separator, rule_name(r), in->rule_count[r]);
		separator = ", ";
	}
	if (in->left_out)
		textw_put(t, "; %" PRIu64 " of them not listed", in->left_out);
	if (in->end == END_ROOM)
		textw_put(t, "; closed to make room, too many incidents at once");
	textw_put(t, "\n");
}

const char *incident_text(const struct incident_view *v, struct report_buf *b, size_t *ret_len)
{
	struct textw t = {b->text, sizeof(b->text), 0, b->colour, false};
	const struct incident *in = v->incident;

	report_time(b, &t);
	switch (v->change) {
	case INCIDENT_OPENED:
		put_head(&t, v, "opened");
		textw_put(&t, "%s\n", in->headline);
		break;
	case INCIDENT_UPDATED:
		put_head(&t, v, "updated");
		textw_put(&t, ", reached %s%s%s\n", stage_name(in->stage) ?: "nothing",
			  in->headline[0] ? "," : "", in->headline);
		break;
	case INCIDENT_CLOSED:
		put_head(&t, v, "closed");
		put_summary(&t, in);
		break;
	}
	*ret_len = 0;
	if (!put_actions(b, &t, in) && v->change == INCIDENT_UPDATED)
		return b->text; /* only counts have grown; the closing summary reports them */
	put_correlations(&t, v);
	put_advice(&t, in);
	*ret_len = t.len;
	return b->text;
}
