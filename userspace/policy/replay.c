// SPDX-License-Identifier: BSD-2-Clause
/* replay.c - see replay.h. */
#include "policy/replay.h"

#include "policy/policy_value.h"
#include "policy/record.h"

struct replay {
	const struct policy *policy;
	int64_t at_ms;
	FILE *to;
	enum replay_end end;
};

static void print(FILE *to, const struct record *r, const struct verdict *v)
{
	const struct policy_input *in = &r->input;
	const struct policy_allow *a = v->allow ?: v->expired;
	char exe[256];

	policy_printable(in->exe ?: "?", exe, sizeof(exe));
	fprintf(to, "%u: %-9s %-8s %s %s by %s", r->nr, verdict_name(v->id),
		severity_name(v->severity), rule_name(in->rule), in->instance ?: "this host", exe);
	if (a)
		fprintf(to, " [%s:%u: %s%s]", a->at.file, a->at.line, v->expired ? "expired: " : "",
			a->reason);
	else if (v->wire)
		fprintf(to, " [%s:%u]", v->wire->file, v->wire->line);
	fputc('\n', to);
}

static void evaluate(void *ctx, const struct record *r)
{
	struct replay *replay = ctx;
	struct verdict v;

	policy_evaluate(replay->policy, &r->input,
			replay->at_ms == POLICY_UNSET ? r->time_ms : replay->at_ms, &v);
	print(replay->to, r, &v);
	if (v.id == VERDICT_ALERT)
		replay->end = REPLAY_ALERT;
}

enum replay_end replay(const struct policy *p, const char *path, int64_t at_ms, FILE *to,
		       char *error, size_t size)
{
	struct replay r = {.policy = p, .at_ms = at_ms, .to = to, .end = REPLAY_NO_ALERT};

	return record_each(path, evaluate, &r, error, size) ? r.end : REPLAY_WRONG;
}
