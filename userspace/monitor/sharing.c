// SPDX-License-Identifier: BSD-2-Clause
/* sharing.c - see sharing.h. */
#include "monitor/sharing.h"

#include "base/digest.h"
#include "monitor/events.h"
#include "monitor/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool exe_stat(const struct instance *in, struct stat *ret)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/exe", in->pid);
	return !stat(path, ret);
}

/* The same file, or the same bytes: containers of one image see one file under several numbers. */
static bool same_program(const struct instance *a, const struct instance *b)
{
	char of_a[DIGEST_LEN], of_b[DIGEST_LEN];
	struct stat sa, sb;

	if (a->exe_ino == b->exe_ino && a->exe_dev == b->exe_dev)
		return true;
	return exe_stat(a, &sa) && exe_stat(b, &sb) && sa.st_size == sb.st_size &&
	       !digest_exe((pid_t)a->pid, a->start_ns, a->exe, a->exe_ino, of_a) &&
	       !digest_exe((pid_t)b->pid, b->start_ns, b->exe, b->exe_ino, of_b) &&
	       !strcmp(of_a, of_b);
}

/* It was no server: an alert, and the file is not its own. */
static void reject(struct monitor *m, const struct event *ev)
{
	const struct instance *in = monitor_instance(m, ev->other_instance);

	if (in)
		files_disown(m->files, &m->instances, in, ev->key.object);
	events_attempt(m, ev);
}

void sharing_opened(struct monitor *m, const struct event *ev)
{
	const struct instance *owner = monitor_instance(m, ev->key.instance),
			      *in = monitor_instance(m, ev->other_instance);
	struct sharing *s = &m->sharing;

	if (!s->held)
		s->held = calloc(SHARING_MAX, sizeof(*s->held));
	if (!owner || !in || !s->held || s->count == SHARING_MAX || ev->actor.uid != owner->uid ||
	    !same_program(owner, in))
		reject(m, ev);
	else if (!in->ports)
		s->held[s->count++] = *ev;
}

/* Let go of the attempts of an instance, and report them if it was no server. */
static void settle(struct monitor *m, const struct instance *in, bool is_server)
{
	struct sharing *s = &m->sharing;
	static struct event ev; /* large */

	for (size_t i = s->count; i-- > 0;) {
		if (s->held[i].other_instance != in->id)
			continue;
		ev = s->held[i];
		s->held[i] = s->held[--s->count];
		if (!is_server)
			reject(m, &ev);
	}
}

void sharing_listens(struct monitor *m, const struct instance *in)
{
	settle(m, in, true);
}

void sharing_ended(struct monitor *m, const struct instance *in)
{
	settle(m, in, false);
}

void sharing_check(struct monitor *m)
{
	for (size_t i = 0; i < m->instances.count && m->sharing.count; i++) {
		const struct instance *in = m->instances.all[i];

		if (in->members && instance_started(in, m->now))
			settle(m, in, in->ports);
	}
}

void sharing_free(struct sharing *s)
{
	free(s->held);
}
