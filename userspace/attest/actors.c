// SPDX-License-Identifier: BSD-2-Clause
/* actors.c - see actors.h. */
#include "attest/actors.h"

#include "attest/html.h"
#include "attest/page.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX
#define DEPTH_MAX 12 /* the kernel side sees eight generations up */

struct node {
	int64_t pid, start;
	json_t *process; /* its members; owned */
	json_t *rules;	 /* what it did: rule -> alert -> attempts; NULL: it is a parent only */
	size_t parent;
};

struct actors {
	struct node node[ACTORS_MAX];
	size_t count;
	size_t left_out;
};

struct actors *actors_new(void)
{
	return calloc(1, sizeof(struct actors));
}

void actors_free(struct actors *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->count; i++) {
		json_decref(a->node[i].process);
		json_decref(a->node[i].rules);
	}
	free(a);
}

/* NONE: there is no room. */
static size_t enter(struct actors *a, json_t *process, size_t parent)
{
	int64_t pid = page_int(process, "pid", NULL), start = page_int(process, "start_time", NULL);
	struct node *n;

	for (size_t i = 0; i < a->count; i++) {
		n = &a->node[i];
		if (n->pid != pid || n->start != start)
			continue;
		if (n->parent == NONE && parent != i)
			n->parent = parent;
		return i;
	}
	if (a->count == ACTORS_MAX) {
		a->left_out++;
		return NONE;
	}
	a->node[a->count] = (struct node){pid, start, json_incref(process), NULL, parent};
	return a->count++;
}

static void note_alert(struct node *n, json_t *record, json_t *own)
{
	const char *rule = page_text(own, "rule");
	const char *uid = page_text(json_object_get(record, "finding_info"), "uid");

	n->rules = n->rules ?: json_object();
	if (!json_object_get(n->rules, rule))
		json_object_set_new(n->rules, rule, json_object());
	json_object_set(json_object_get(n->rules, rule), uid, json_object_get(own, "count"));
}

void actors_add(struct actors *a, json_t *record)
{
	json_t *own = json_object_get(json_object_get(record, "unmapped"), "cachewarden");
	json_t *actor = json_object_get(own, "actor"), *all = json_object_get(actor, "ancestors");
	size_t at = NONE, n = json_array_size(all);
	struct node *node;

	if (!json_is_object(actor))
		return;
	while (n-- > 0)
		at = enter(a, json_array_get(all, n), at);
	at = enter(a, actor, at);
	if (at == NONE)
		return;
	node = &a->node[at];
	json_decref(node->process); /* it may have been known as somebody's parent */
	node->process = json_incref(actor);
	note_alert(node, record, own);
}

static void put_node(FILE *f, const struct node *n)
{
	const char *exe = page_text(n->process, "exe"), *line = page_text(n->process, "cmdline");
	const char *rule;
	bool any = false;
	json_t *v;

	html_put(f, "%s", page_text(n->process, "comm"));
	html_put(f, " (pid %" PRId64 ", uid %" PRId64 ")", n->pid,
		 page_int(n->process, "uid", NULL));
	if (exe[0]) {
		fputs(" <span class=\"path dim\">", f);
		html_text(f, exe);
		fputs("</span>", f);
	}
	if (line[0]) {
		fputs("<br><code>", f);
		html_text(f, line);
		fputs("</code>", f);
	}
	json_object_foreach (n->rules, rule, v) {
		html_put(f, "%s%s ×%" PRId64, any ? ", " : " — ", rule, page_sum(v, NULL));
		any = true;
	}
}

static void put_children(FILE *f, const struct actors *a, size_t parent, unsigned int depth)
{
	bool any = false;

	for (size_t i = 0; i < a->count && depth < DEPTH_MAX; i++) {
		const struct node *n = &a->node[i];

		if (n->parent != parent)
			continue;
		if (!any)
			fputs(depth ? "<ul>\n" : "<ul class=\"tree\">\n", f);
		any = true;
		fputs(n->rules ? "<li><b>" : "<li>", f);
		put_node(f, n);
		fputs(n->rules ? "</b>\n" : "\n", f);
		put_children(f, a, i, depth + 1);
		fputs("</li>\n", f);
	}
	if (any)
		fputs("</ul>\n", f);
}

void actors_html(FILE *f, const struct actors *a)
{
	if (!a->count)
		fputs("<p>No process is known: there is none in the events, or they were found as a state.</p>\n",
		      f);
	put_children(f, a, NONE, 0);
	if (a->left_out)
		fputs("<p>More processes are in the log.</p>\n", f);
}
