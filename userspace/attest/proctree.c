// SPDX-License-Identifier: BSD-2-Clause
/* proctree.c - see proctree.h. What a later entry knows of a process is added to what earlier ones did. */
#include "attest/proctree.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What is taken of a process, from whatever has it. */
static const char *const facts[] = {
	"comm",
	"exe",
	"uid",
	"euid",
	"loginuid",
	"audit_session",
	"session_leader",
	"terminal",
	"cmdline",
	"cgroup",
	"unit",
	"container",
	"pod",
	"file",
	"environment",
	"capabilities",
	"namespaces",
	"not_of_host",
	"security_label",
	"connections",
	"no_new_privs",
	"seccomp",
	"unread",
};

static int64_t integer(json_t *v, const char *key)
{
	return json_integer_value(json_object_get(v, key));
}

static const char *text(json_t *v, const char *key)
{
	return json_string_value(json_object_get(v, key)) ?: "";
}

json_t *proctree_new(void)
{
	return json_pack("{s:[],s:i}", "processes", "left_out", 0);
}

void proctree_key(json_t *process, char buf[PROCTREE_KEY_LEN])
{
	const char *uid = text(process, "process_uid");

	if (uid[0])
		snprintf(buf, PROCTREE_KEY_LEN, "%s", uid);
	else
		snprintf(buf, PROCTREE_KEY_LEN, "%" PRId64 " %" PRId64, integer(process, "pid"),
			 integer(process, "start_time"));
}

/* What names a process: members of it, and of its children's "parent". */
static json_t *name_of(json_t *process)
{
	json_t *v = json_pack("{s:I,s:I}", "pid", (json_int_t)integer(process, "pid"), "start_time",
			      (json_int_t)integer(process, "start_time"));

	if (text(process, "process_uid")[0])
		json_object_set(v, "process_uid", json_object_get(process, "process_uid"));
	return v;
}

static json_t *find(json_t *tree, json_t *process)
{
	json_t *all = json_object_get(tree, "processes"), *node;
	char key[PROCTREE_KEY_LEN], other[PROCTREE_KEY_LEN];

	proctree_key(process, key);
	for (size_t i = 0; i < json_array_size(all); i++) {
		node = json_array_get(all, i);
		proctree_key(node, other);
		if (!strcmp(key, other))
			return node;
	}
	if (json_array_size(all) == PROCTREE_MAX) {
		json_object_set_new(tree, "left_out", json_integer(integer(tree, "left_out") + 1));
		return NULL;
	}
	node = name_of(process);
	json_object_set_new(node, "parent", json_null());
	json_object_set_new(node, "entries", json_array());
	json_array_append_new(all, node);
	return node;
}

static void take(json_t *node, json_t *from)
{
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		json_t *v = json_object_get(from, facts[i]);

		if (v && !json_is_null(v))
			json_object_set(node, facts[i], v);
	}
}

static json_t *enter(json_t *tree, json_t *process, json_t *parent, uint64_t index)
{
	json_t *node = find(tree, process), *entries = json_object_get(node, "entries");
	size_t n = json_array_size(entries);

	if (!node)
		return NULL;
	take(node, process);
	if (parent)
		json_object_set_new(node, "parent", name_of(parent));
	if (!n || (uint64_t)json_integer_value(json_array_get(entries, n - 1)) != index)
		json_array_append_new(entries, json_integer((json_int_t)index));
	return node;
}

void proctree_add(json_t *tree, json_t *entry, uint64_t index)
{
	json_t *record = json_object_get(entry, "record"), *own, *actor = NULL, *all, *node,
	       *at = NULL;

	own = json_object_get(json_object_get(record, "unmapped"), "cachewarden");
	if (!strcmp(text(entry, "kind"), "event"))
		actor = json_object_get(own, "actor");
	else if (!strcmp(text(entry, "kind"), "actor"))
		actor = record;
	if (!json_is_object(actor))
		return;
	all = json_object_get(actor, "ancestors");
	for (size_t n = json_array_size(all); n-- > 0;)
		at = enter(tree, json_array_get(all, n), at, index) ?: at;
	node = enter(tree, actor, at, index);
	if (node && actor == record) /* members of an object of its own there */
		take(node, json_object_get(record, "login"));
}
