// SPDX-License-Identifier: BSD-2-Clause
/* actors.c - see actors.h. */
#include "attest/actors.h"

#include "attest/html.h"
#include "attest/page.h"
#include "attest/proctree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX
#define DEPTH_MAX 12 /* the kernel side sees eight generations up */

struct node {
	char key[PROCTREE_KEY_LEN];
	json_t *process; /* its members; owned */
	json_t *rules;	 /* what it did: rule -> alert -> attempts; NULL: it is a parent only */
	json_t *detail;	 /* what else is known; NULL: nothing */
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
		json_decref(a->node[i].detail);
	}
	free(a);
}

/* NONE: there is no room. */
static size_t enter(struct actors *a, json_t *process, size_t parent)
{
	char key[PROCTREE_KEY_LEN];
	struct node *n;

	proctree_key(process, key);
	for (size_t i = 0; i < a->count; i++) {
		n = &a->node[i];
		if (strcmp(n->key, key) != 0)
			continue;
		if (n->parent == NONE && parent != i)
			n->parent = parent;
		return i;
	}
	if (a->count == ACTORS_MAX) {
		a->left_out++;
		return NONE;
	}
	a->node[a->count] = (struct node){.process = json_incref(process), .parent = parent};
	memcpy(a->node[a->count].key, key, sizeof(key));
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

static size_t enter_detail(struct actors *a, json_t *process, size_t parent, bool is_actor)
{
	size_t at = enter(a, process, parent);

	/* of an ancestor there is less than of an actor */
	if (at != NONE && (is_actor || !a->node[at].detail)) {
		json_decref(a->node[at].detail);
		a->node[at].detail = json_incref(process);
	}
	return at;
}

void actors_detail(struct actors *a, json_t *record)
{
	json_t *all = json_object_get(record, "ancestors");
	size_t at = NONE;

	for (size_t n = json_array_size(all); n-- > 0;)
		at = enter_detail(a, json_array_get(all, n), at, false);
	enter_detail(a, record, at, true);
}

/* --- as HTML --- */

/* A line: what it is, and the words of an array. */
static void put_words(FILE *f, const char *what, json_t *all)
{
	if (!json_array_size(all))
		return;
	fputs("<br><span class=\"dim\">", f);
	html_text(f, what);
	for (size_t i = 0; i < json_array_size(all); i++)
		html_put(f, "%s%s", i ? ", " : ": ", json_string_value(json_array_get(all, i)));
	fputs("</span>", f);
}

static void put_file(FILE *f, json_t *file)
{
	json_t *package = json_object_get(file, "package");

	if (!json_is_object(file))
		return;
	fputs("<br><span class=\"dim\">", f);
	if (page_text(file, "sha256")[0])
		html_put(f, "SHA-256 %s, ", page_text(file, "sha256"));
	if (page_text(file, "kind")[0])
		html_put(f, "%s", page_text(file, "kind"));
	else
		html_put(f, "its file was not read: %s", page_text(file, "unread"));
	if (json_is_object(package))
		html_put(f, ", of package %s %s, contents %s", page_text(package, "name"),
			 page_text(package, "version"), page_text(package, "contents"));
	if (json_is_false(json_object_get(file, "as_at_the_deed")))
		fputs(", but it had executed another one by then", f);
	if (page_text(file, "blob")[0])
		fputs(", a copy is kept", f);
	fputs("</span>", f);
}

static void put_login(FILE *f, json_t *detail)
{
	json_t *login = json_object_get(detail, "login") ?: detail;

	if (!json_object_get(login, "loginuid"))
		return;
	fputs("<br><span class=\"dim\">", f);
	html_put(f, "login of uid %" PRId64, page_int(login, "loginuid", NULL));
	if (json_object_get(login, "audit_session"))
		html_put(f, ", audit session %" PRId64, page_int(login, "audit_session", NULL));
	fputs("</span>", f);
}

static void put_connections(FILE *f, json_t *all)
{
	for (size_t i = 0; i < json_array_size(all); i++) {
		json_t *c = json_array_get(all, i), *from = json_object_get(c, "local"),
		       *to = json_object_get(c, "remote");

		fputs("<br><span class=\"dim\">", f);
		html_put(f, "connection %s port %" PRId64 " to %s port %" PRId64 ", %s",
			 page_text(from, "ip"), page_int(from, "port", NULL), page_text(to, "ip"),
			 page_int(to, "port", NULL), page_text(c, "state"));
		if (page_text(c, "tls_version")[0])
			html_put(f, ", %s", page_text(c, "tls_version"));
		fputs("</span>", f);
	}
}

/* Root has all, mostly: that says more than a list of forty. */
static void put_rights(FILE *f, json_t *rights)
{
	json_t *effective = json_object_get(rights, "effective");

	if (!json_array_size(effective) ||
	    !json_equal(effective, json_object_get(rights, "bounding"))) {
		put_words(f, "effective capabilities", effective);
		return;
	}
	fputs("<br><span class=\"dim\">", f);
	html_put(f, "effective capabilities: all %zu of its bounding set",
		 json_array_size(effective));
	fputs("</span>", f);
}

/* Variables that say how somebody came here, or that load code; all are in the entry. */
static void put_environment(FILE *f, json_t *names)
{
	static const char *const telling[] = {"SSH_", "SUDO_", "LD_", "DOAS_", "PKEXEC_"};
	size_t n = json_array_size(names);

	if (!n)
		return;
	fputs("<br><span class=\"dim\">", f);
	html_put(f, "environment of %zu variables", n);
	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(names, i)) ?: "";

		for (size_t k = 0; k < sizeof(telling) / sizeof(telling[0]); k++) {
			if (!strncmp(name, telling[k], strlen(telling[k])))
				html_put(f, ", %s", name);
		}
	}
	fputs("</span>", f);
}

static void put_detail(FILE *f, json_t *detail)
{
	if (!detail)
		return;
	put_file(f, json_object_get(detail, "file"));
	put_login(f, detail);
	put_rights(f, json_object_get(detail, "capabilities"));
	put_words(f, "namespaces of its own", json_object_get(detail, "not_of_host"));
	put_environment(f, json_object_get(json_object_get(detail, "environment"), "names"));
	put_connections(f, json_object_get(detail, "connections"));
	put_words(f, "not read", json_object_get(detail, "unread"));
}

static void put_node(FILE *f, const struct node *n)
{
	const char *exe = page_text(n->process, "exe"), *line = page_text(n->process, "cmdline");
	const char *rule;
	bool any = false;
	json_t *v;

	html_put(f, "%s", page_text(n->process, "comm"));
	html_put(f, " (pid %" PRId64 ", uid %" PRId64 ")", page_int(n->process, "pid", NULL),
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
		put_detail(f, n->detail);
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
