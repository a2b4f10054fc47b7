// SPDX-License-Identifier: BSD-2-Clause
/* describe.c - see describe.h. Configurations are among the files that a server opened, or that were searched for. */
#include "monitor/describe.h"

#include "monitor/server_facts.h"

#include <stdlib.h>
#include <string.h>

struct configs {
	char *path[SERVER_CONFIGS_MAX];
	size_t count;
};

static bool add(void *ctx, const char *path)
{
	struct configs *c = ctx;

	c->path[c->count] = strdup(path);
	c->count += c->path[c->count] != NULL;
	return c->count == SERVER_CONFIGS_MAX;
}

static bool describe(struct monitor *m, const struct instance *in)
{
	struct configs c = {};
	bool done;

	files_any(m->files, in->id, FILE_CONFIG, add, &c);
	done = evidence_server(&m->evidence, in, c.path, c.count);
	for (size_t i = 0; i < c.count; i++)
		free(c.path[i]);
	return done;
}

void describe_servers(struct monitor *m)
{
	for (size_t i = 0; i < m->instances.count; i++) {
		struct instance *in = m->instances.all[i];

		if (!in->members || in->described || !instance_started(in, m->now))
			continue;
		in->described = describe(m, in);
		if (!in->described)
			return; /* the queue is full: go on in a second */
	}
}
