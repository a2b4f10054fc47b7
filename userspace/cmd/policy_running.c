// SPDX-License-Identifier: BSD-2-Clause
/* policy_running.c - see policy_running.h. */
#include "cmd/policy_running.h"

#include "cmd/ask_monitor.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int collect(void *ctx, const char *bytes, size_t len)
{
	return fwrite(bytes, 1, len, ctx) == len ? 0 : -ENOMEM;
}

/* The status of the first monitor that answers; NULL: none does. */
static json_t *ask_any(void)
{
	json_t *status = NULL;
	char *text = NULL;
	size_t len = 0;
	pid_t pid;
	FILE *to;

	if (!control_monitors(&pid, 1))
		return NULL;
	to = open_memstream(&text, &len);
	if (!to)
		return NULL;
	if (!control_query(pid, CONTROL_STATUS, collect, to) && !fflush(to))
		status = json_loadb(text, len, 0, NULL);
	fclose(to);
	free(text);
	return status;
}

static bool has_port(json_t *server, int64_t port)
{
	json_t *at;
	size_t i;

	json_array_foreach (json_object_get(server, "ports"), i, at) {
		if (json_integer_value(json_object_get(at, "port")) == port)
			return true;
	}
	return false;
}

/* Is that its name without the place and number that may follow, "redis-server:6379"? */
static bool has_short_name(json_t *server, const char *name)
{
	const char *full = json_string_value(json_object_get(server, "name"));
	size_t len = strlen(name);

	return full && !strncmp(full, name, len) &&
	       (!full[len] || full[len] == '@' || full[len] == '#');
}

struct matches {
	size_t count;
	char names[512];
};

static void add_match(struct matches *m, json_t *server)
{
	size_t used = strlen(m->names);
	const char *name = json_string_value(json_object_get(server, "name"));

	m->count++;
	snprintf(m->names + used, sizeof(m->names) - used, "%s%s", used ? ", " : "", name ?: "?");
}

static void warn_of(const struct matches *m, const struct policy_place *at, const char *what,
		    const char *name, const char *advice)
{
	if (m->count > 1)
		fprintf(stderr, "%s:%u: warning: %s '%s' matches %zu servers that run (%s); %s\n",
			at->file, at->line, what, name, m->count, m->names, advice);
}

static void check_entry(const struct policy_instance *entry, json_t *servers)
{
	struct matches m = {};
	json_t *server;
	size_t i;

	if (entry->port == POLICY_UNSET || entry->unit || entry->container || entry->cgroup ||
	    entry->exe)
		return;
	json_array_foreach (servers, i, server) {
		if (has_port(server, entry->port))
			add_match(&m, server);
	}
	warn_of(&m, &entry->at, "the entry", entry->name,
		"it applies to all of them: add a unit or container to match one");
}

static void check_exception(const struct policy_allow *allow, json_t *servers)
{
	struct matches m = {};
	json_t *server;
	size_t i;

	if (!allow->instance || !strchr(allow->instance, ':'))
		return;
	json_array_foreach (servers, i, server) {
		if (has_short_name(server, allow->instance))
			add_match(&m, server);
	}
	warn_of(&m, &allow->at, "the exception for", allow->instance,
		"it allows nothing: name one of them");
}

void policy_warn_of_running(const struct policy *p)
{
	json_t *status = ask_any(), *servers = json_object_get(status, "instances");

	for (size_t i = 0; i < p->instances; i++)
		check_entry(&p->instance[i], servers);
	for (size_t i = 0; i < p->allows; i++)
		check_exception(&p->allow[i], servers);
	json_decref(status);
}
