// SPDX-License-Identifier: BSD-2-Clause
/* ask.c - see ask.h. */
#include "monitor/ask.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/textw.h"
#include "monitor/events.h"
#include "monitor/files_search.h"
#include "monitor/policy_input.h"
#include "monitor/report.h"

#include <stdio.h>
#include <string.h>

#define RUNNING_MAX 4 /* at once */
#define RETRY_MAX_NS (3600 * NS_PER_SEC)

/* --- beginning --- */

static const struct policy_ask *how_asked(const struct monitor *m, const struct instance *in,
					  bool *ret_no_plaintext)
{
	const struct policy *p = &m->policy.policy;
	struct policy_input input;

	policy_input_instance(&input, in);
	*ret_no_plaintext =
		policy_prevented(p, &input, m->policy.prevent_always) & POLICY_PREVENT_PLAINTEXT;
	return policy_asked(p, &input);
}

static int begin(const struct monitor *m, struct ask *a, const struct instance *in,
		 const struct policy_ask *how, bool no_plaintext)
{
	char socket[PATH_LEN];
	const struct ask_question q = {.in = in,
				       .how = how,
				       .socket = socket,
				       .no_plaintext = no_plaintext,
				       .has_tls = in->tls || files_name_tls_port(m->files, in)};

	snprintf(socket, sizeof(socket), "%s", how->socket ?: "");
	if (!how->socket)
		files_directive(m->files, in, "unixsocket", socket, sizeof(socket));
	if (socket[0] != '/')
		socket[0] = '\0';
	return ask_begin(a, &q, m->now);
}

/* --- ending --- */

static void fail(struct monitor *m, struct ask *a, const struct instance *in, const char *reason,
		 bool again)
{
	char note[ALERT_NOTE_LEN] = "", text[ASK_REASON_LEN + 64] = "";
	struct textw n = {note, sizeof(note), 0, false, false};
	struct textw t = {text, sizeof(text), 0, false, false};

	textw_name(&t, reason);
	textw_put(&n, "%.40s was not asked for all of its files: %s", in->name, text);
	if (strcmp(note, a->note)) {
		memcpy(a->note, note, sizeof(note));
		a->failed = 0;
	}
	if (!a->failed++)
		log_warn("instance %s was not asked for all of its files: %s; %s", in->name, text,
			 again ? "it will be asked again"
			       : "correct the policy or the server and send SIGHUP");
	report_blind_spot(m, note, a->failed);
	if (!again)
		return;
	a->due_ns = m->now + a->retry_ns;
	a->retry_ns = a->retry_ns * 2 < RETRY_MAX_NS ? a->retry_ns * 2 : RETRY_MAX_NS;
}

static void use_answer(struct monitor *m, const struct instance *in, struct ask_answer *answer)
{
	static const char *const over[] = {
		[TRANSPORT_TLS] = "over TLS",
		[TRANSPORT_UNIX] = "through its UNIX socket",
		[TRANSPORT_PLAIN] =
			"in plaintext on this host: no TLS port or UNIX socket of it is known",
	};
	const char *value[ASK_VALUES];
	uint64_t began = clock_mono_ns();

	for (size_t i = 0; i < ASK_VALUES; i++) {
		answer->value[i][ASK_VALUE_LEN - 1] = '\0';
		value[i] = answer->value[i];
	}
	files_answered(m->files, m->sensors, in, ask_directives, value, ASK_VALUES);
	collector_poll(m->collector, 0);
	log_info("instance %s was asked for its files %s", in->name,
		 over[answer->over <= TRANSPORT_PLAIN && answer->over ? answer->over
								      : TRANSPORT_TLS]);
	files_log(m->files, in);
	events_spent(m, in, began);
}

static void finish(struct monitor *m, struct ask *a, const struct instance *in)
{
	static struct ask_answer answer;
	char reason[ASK_REASON_LEN];
	bool again = true;

	/* written by a child that spoke to the server: nothing in it is trusted to end, or not to change meanwhile */
	memcpy(&answer, a->answer, sizeof(answer));
	if (answer.complete) {
		snprintf(reason, sizeof(reason), "%.*s", (int)sizeof(reason) - 1, answer.reason);
		again = answer.again;
	} else if (m->now < a->began_ns + ASK_SECONDS * NS_PER_SEC) {
		snprintf(reason, sizeof(reason),
			 "the process that asks it ended without an answer");
	} else {
		snprintf(reason, sizeof(reason), "no answer within %d seconds", ASK_SECONDS);
	}
	if (answer.complete && answer.answered)
		use_answer(m, in, &answer);
	if (reason[0])
		fail(m, a, in, reason, again);
}

/* Returns whether a session is under way. */
static bool step(struct monitor *m, struct ask *a, const struct instance *in, bool may_begin)
{
	const struct policy_ask *how;
	bool no_plaintext;
	int err;

	if (a->pidfd >= 0 && ask_is_over(a, m->now)) {
		ask_end(a);
		finish(m, a, in);
	}
	if (a->answer && ask_is_settled(a, m->now))
		ask_forget(a);
	if (a->pidfd >= 0 || m->now < a->due_ns || !may_begin)
		return a->pidfd >= 0;
	how = how_asked(m, in, &no_plaintext);
	a->due_ns = UINT64_MAX;
	if (!how)
		return false;
	if (!events_may_spend(m, in)) {
		a->due_ns = m->now + NS_PER_SEC;
		return false;
	}
	if (how->uid != POLICY_UNSET && how->uid != in->user) {
		fail(m, a, in, "it runs as another user than the policy says", false);
		return false;
	}
	err = begin(m, a, in, how, no_plaintext);
	if (err)
		fail(m, a, in, strerror(-err), true);
	return !err;
}

static bool is_running(void *ctx, uint32_t instance)
{
	const struct instance *in = monitor_instance(ctx, instance);

	return in && in->members;
}

void ask_tick(struct monitor *m)
{
	size_t running = 0;
	bool unused;

	asks_trim(&m->asks, is_running, m);
	for (size_t i = 0; i < m->instances.count; i++) {
		const struct instance *in = m->instances.all[i];

		if (in->members && instance_started(in, m->now) && !asks_find(&m->asks, in->id) &&
		    how_asked(m, in, &unused))
			asks_add(&m->asks, in->id);
	}
	for (size_t i = 0; i < m->asks.count; i++) {
		struct ask *a = &m->asks.all[i];

		running += step(m, a, monitor_instance(m, a->instance), running < RUNNING_MAX);
	}
}
