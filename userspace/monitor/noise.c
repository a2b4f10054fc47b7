// SPDX-License-Identifier: BSD-2-Clause
/* noise.c - see noise.h. */
#include "monitor/noise.h"

#include "monitor/report.h"

#include <stdio.h>
#include <string.h>

/* --- entries of the attempts table --- */

void noise_count(struct noise *n, uint32_t account)
{
	for (size_t i = 0; account && i < HOARDERS_MAX; i++) {
		struct noise_user *u = &n->user[(account + i) % HOARDERS_MAX];

		if (u->entries && u->account != account)
			continue;
		u->account = account;
		u->entries++;
		return;
	}
}

void noise_limit(struct monitor *m)
{
	struct hoarder hoarders[HOARDERS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < HOARDERS_MAX; i++) {
		struct noise_user *u = &m->noise.user[i];

		if (u->entries > HOARD)
			hoarders[count++] = (struct hoarder){u->account, (uint32_t)u->entries};
		u->entries = 0;
	}
	sensors_set_hoarders(m->sensors, hoarders, count);
}

/* --- shares --- */

static void name_culprit(struct culprit *ret, const struct share_key *key, const struct share *s)
{
	*ret = (struct culprit){.uid = key->account, .pid = s->tgid, .start_ns = s->start_ns};
	memcpy(ret->comm, s->comm, sizeof(ret->comm));
	ret->comm[COMM_LEN - 1] = '\0';
}

/* Who took most lately is the one to blame if all is full. */
static void note_usage(struct monitor *m, const struct share_key *key, const struct share *s)
{
	if (key->what >= BUDGET_KEPT || key->what == BUDGET_PEERS ||
	    key->account == ACCOUNT_OTHERS || s->used <= m->noise.most ||
	    m->now > s->since_ns + 2 * share_period(key->what))
		return;
	m->noise.most = s->used;
	name_culprit(&m->noise.loudest, key, s);
}

static void on_share(void *ctx, const struct share_key *key, const struct share *s)
{
	static const char *const notes[BUDGET_MAX] = {
		[BUDGET_ATTEMPTS] = "makes too many attempts to tell them apart: counted together",
		[BUDGET_SERVERS] = "starts and ends too many servers at once: followed late",
		[BUDGET_FILES] = "has servers that open too many files at once: not protected",
		[BUDGET_CONNS] = NULL, /* see report_crowd() */
		[BUDGET_PEERS] =
			NULL, /* the same; whose server it is says nothing of its clients */
		[BUDGET_CODE] = "has servers that execute too many files: told as new each time",
		[BUDGET_PIPES] = "has servers with too many pipes: access to them goes unseen",
	};
	struct monitor *m = ctx;
	char note[ALERT_NOTE_LEN], who[32] = "many users together";
	struct culprit c;

	note_usage(m, key, s);
	if (!s->over || key->what >= BUDGET_MAX || !notes[key->what])
		return;
	name_culprit(&c, key, s);
	if (key->account != ACCOUNT_OTHERS)
		snprintf(who, sizeof(who), "uid %u", key->account);
	snprintf(note, sizeof(note), "%s %s", who, notes[key->what]);
	report_caused(m, note, s->over, key->account != ACCOUNT_OTHERS ? &c : NULL);
}

/* The server of that user that was found last. */
static void name_server(const struct monitor *m, uint32_t uid, struct culprit *ret)
{
	*ret = (struct culprit){.uid = uid};
	for (size_t i = m->instances.count; i-- > 0;) {
		const struct instance *in = m->instances.all[i];

		if (in->account != uid)
			continue;
		ret->pid = in->pid;
		ret->start_ns = in->start_ns;
		memcpy(ret->comm, in->comm, sizeof(ret->comm));
		return;
	}
}

static void report_waiting_users(struct monitor *m)
{
	char note[ALERT_NOTE_LEN];
	struct culprit c;

	for (const struct discovery_user *u = NULL; (u = discovery_next_user(&m->discovery, u));) {
		snprintf(note, sizeof(note),
			 "uid %u has servers that take too long to look at: files unprotected",
			 u->uid);
		name_server(m, u->uid, &c);
		report_caused(m, note, u->dropped, &c);
		snprintf(note, sizeof(note),
			 "uid %u has servers that take too long to sweep: unchecked for a minute",
			 u->uid);
		report_caused(m, note, u->postponed, &c);
	}
}

void noise_report(struct monitor *m)
{
	m->noise.most = 0;
	sensors_shares(m->sensors, m->now, on_share, m);
	report_waiting_users(m);
}

/* Nobody did more, and it was so much that it matters: half a share, or half of what the ring buffer holds. */
void noise_report_full(struct monitor *m, const char *note, uint64_t total)
{
	const struct culprit *c = &m->noise.loudest;
	bool enough = m->noise.most > (c->uid ? SHARE / 2 : 2 * SHARE);

	report_caused(m, note, total, enough ? c : NULL);
}
