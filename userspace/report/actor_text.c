// SPDX-License-Identifier: BSD-2-Clause
/* actor_text.c - see actor_text.h. Names and paths are chosen by an attacker: textw_name() escapes them. */
#include "report/actor_text.h"

#define CONTAINER_SHOWN 12 /* digits of a container's id, as container tools show them */

static void put_place(struct textw *t, const struct actor *a)
{
	if (a->container[0])
		textw_put(t, " in container %.*s", CONTAINER_SHOWN, a->container);
	else if (a->unit[0]) {
		textw_put(t, " in ");
		textw_name(t, a->unit);
	}
}

void actor_title(struct textw *t, const struct actor *a)
{
	if (!a || !a->comm[0])
		return;
	textw_put(t, " by ");
	textw_name(t, a->comm);
	textw_put(t, "(%u)", a->pid);
}

void actor_text(struct textw *t, const struct actor *a)
{
	if (!a->detailed) { /* the event was lost, and the attempts table has only the pid */
		textw_put(t, "pid %u ", a->pid);
		textw_name(t, a->exe);
		textw_put(t, "%s(details lost)", a->exe[0] ? " " : "");
		return;
	}
	textw_name(t, a->comm);
	textw_put(t, "(%u) uid %u ", a->pid, a->uid);
	textw_name(t, a->exe[0] ? a->exe : a->kernel_thread ? "[kernel thread]" : "?");
	if (a->exe_deleted)
		textw_put(t, " (deleted)");
	if (a->cmdline[0]) {
		textw_put(t, " \"");
		textw_name(t, a->cmdline);
		textw_put(t, "\"");
	}
	put_place(t, a);
	if (a->instance[0]) {
		textw_put(t, " of instance ");
		textw_name(t, a->instance);
	}
}
