// SPDX-License-Identifier: BSD-2-Clause
/* sharing.c - see sharing.h. */
#include "monitor/sharing.h"

#include "base/digest.h"

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

/* The same file or the same bytes: containers of one image see one file under several inode numbers. */
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

bool sharing_allows(struct sharing *s, const struct event *ev, const struct instance *owner,
		    const struct instance *in)
{
	if (!owner || !in || ev->actor.uid != owner->user || !same_program(owner, in))
		return false;
	if (in->ports)
		return true;
	if (!s->held)
		s->held = calloc(SHARING_MAX, sizeof(*s->held));
	if (!s->held || s->count == SHARING_MAX)
		return false;
	s->held[s->count++] = *ev;
	return true;
}

bool sharing_take(struct sharing *s, uint32_t instance, struct event *ret)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->held[i].other_instance != instance)
			continue;
		*ret = s->held[i];
		s->held[i] = s->held[--s->count];
		return true;
	}
	return false;
}

void sharing_free(struct sharing *s)
{
	free(s->held);
}
