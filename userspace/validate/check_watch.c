// SPDX-License-Identifier: BSD-2-Clause
/* check_watch.c - judges what a monitor saw while it watched (--duration), and whether it saw the drills (--drill). */
#include "validate/check.h"
#include "validate/drill.h"

#include "base/macros.h"
#include "model/rule.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const unsigned int of_memory[] = {RULE_MEM_TRACE,   RULE_MEM_READ,   RULE_MEM_WRITE,
					 RULE_MEM_INSPECT, RULE_MEM_FD,	    RULE_MEM_REMOTE,
					 RULE_MEM_PROBE,   RULE_MEM_KERNEL, RULE_MEM_DUMP,
					 RULE_MEM_INJECT,  RULE_MEM_SPILL};
static const unsigned int of_wire[] = {RULE_TLS_PLAINTEXT, RULE_TLS_MIDSTREAM, RULE_TLS_WRITER,
				       RULE_TLS_LISTENER, RULE_TLS_BYPASS};
static const unsigned int of_files[] = {RULE_REST_FILE, RULE_TLS_KEY};

/* What the monitor did not see may have been anything: no check of it passes. */
static bool has_seen_all(const struct facts *f, struct outcome *ret)
{
	if (f->watch.doubts[0])
		check_skip(ret, "%s", f->watch.doubts);
	else if (!f->watch.watched_ms)
		check_skip(ret, "the server ran at no time of it");
	return !f->watch.doubts[0] && f->watch.watched_ms;
}

static bool has_watched(const struct facts *f, struct outcome *ret)
{
	if (f->watch.why[0])
		check_skip(ret, "%s", f->watch.why);
	return !f->watch.why[0];
}

void judge_watch_covered(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	const struct facts_watch *w = &f->watch;

	if (!has_watched(f, ret))
		return;
	if (w->alerts[RULE_SELF_TAMPER])
		check_fail(ret, "self-tamper %" PRIu64, w->alerts[RULE_SELF_TAMPER]);
	else if (has_seen_all(f, ret))
		check_pass(ret, "%" PRId64 ".%" PRId64 " s, without a gap or a loss",
			   w->watched_ms / 1000, w->watched_ms % 1000 / 100);
}

/* Alerts by these rules, as a list. */
static void judge_rules(const struct facts *f, const unsigned int *rule, size_t n,
			struct outcome *ret)
{
	if (!has_watched(f, ret))
		return;
	for (size_t i = 0; i < n; i++) {
		if (f->watch.alerts[rule[i]])
			check_list(ret->seen, sizeof(ret->seen), "%s %" PRIu64, rule_name(rule[i]),
				   f->watch.alerts[rule[i]]);
	}
	if (ret->seen[0])
		ret->verdict = CHECK_FAIL;
	else if (has_seen_all(f, ret))
		check_pass(ret, "none");
}

void judge_watch_memory(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_rules(f, of_memory, ARRAY_SIZE(of_memory), ret);
}

void judge_watch_files(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_rules(f, of_files, ARRAY_SIZE(of_files), ret);
}

/* Bytes of plaintext count even where the host's policy expects them. */
void judge_watch_wire(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_rules(f, of_wire, ARRAY_SIZE(of_wire), ret);
	if (!f->watch.why[0] && ret->verdict != CHECK_FAIL && f->watch.plaintext_bytes)
		check_fail(ret, "%" PRIu64 " bytes of plaintext", f->watch.plaintext_bytes);
}

/* Sessions that were negotiated, each kind judged by is_bad. */
static void judge_sessions(const struct facts *f, const struct profile *p,
			   bool (*is_bad)(const struct facts_session *s, const struct profile *p),
			   struct outcome *ret)
{
	const struct facts_watch *w = &f->watch;

	if (!has_watched(f, ret))
		return;
	for (size_t i = 0; i < w->sessions; i++) {
		if (is_bad(&w->session[i], p))
			check_list(ret->seen, sizeof(ret->seen), "%s %" PRIu64, w->session[i].text,
				   w->session[i].count);
	}
	if (ret->seen[0])
		ret->verdict = CHECK_FAIL;
	else if (w->sessions_cut)
		check_skip(ret, "there were more kinds of sessions than are kept");
	else if (!w->handshakes)
		check_skip(ret, "no client connected meanwhile: run your tests with --while");
	else if (has_seen_all(f, ret))
		check_pass(ret, "%" PRIu64 " handshake%s", w->handshakes,
			   w->handshakes == 1 ? "" : "s");
}

static bool is_old(const struct facts_session *s, const struct profile *p)
{
	return s->version < p->tls.minimum;
}

static bool is_weak(const struct facts_session *s, const struct profile *p)
{
	return !policy_tls_cipher(&(struct policy){.tls = p->tls}, s->suite);
}

void judge_watch_versions(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_sessions(f, p, is_old, ret);
}

void judge_watch_ciphers(const struct facts *f, const struct profile *p, struct outcome *ret)
{
	judge_sessions(f, p, is_weak, ret);
}

/* --- drills --- */

static void judge_drill(const struct facts *f, enum drill_id id, struct outcome *ret)
{
	const struct facts_drill *d = &f->drill[id];

	if (d->why[0])
		check_skip(ret, "%s", d->why);
	else if (!d->alerted)
		check_fail(ret, "no alert within %d ms%s%s", DRILL_WAIT_MS,
			   d->refused[0] ? "; the attempt was refused: " : "", d->refused);
	else if (d->after_us > DRILL_MOST_MS * 1000)
		check_fail(ret, "an alert, but after %" PRId64 " ms", d->after_us / 1000);
	else if (d->stopped_by[0])
		check_pass(ret,
			   "after %" PRId64 ".%" PRId64
			   " ms (prevented and reported as %s, before it could be tried)",
			   d->after_us / 1000, d->after_us % 1000 / 100, d->stopped_by);
	else
		check_pass(ret, "after %" PRId64 ".%" PRId64 " ms (attempt %s)", d->after_us / 1000,
			   d->after_us % 1000 / 100, d->outcome);
}

#define X(name, NAME)                                                                              \
	void judge_drill_##name(const struct facts *f, const struct profile *p,                    \
				struct outcome *ret)                                               \
	{                                                                                          \
		judge_drill(f, DRILL_##NAME, ret);                                                 \
	}
DRILLS(X)
#undef X
