// SPDX-License-Identifier: BSD-2-Clause
/*
 * look_options.c - the options that a decoy gets, from the server's configuration file and command line: for a server that does not answer
 * CONFIG GET. Root only opens them; a process without rights reads them, and keeps nothing but what option.h lists.
 */
#include "validate/look.h"

#include "base/macros.h"
#include "model/server_config.h"
#include "validate/confine.h"
#include "validate/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECONDS 5
#define CONFIG_MAX (1u << 20)
#define ARGS_MAX (16u << 10)

/* Believed only if they name one of its ports; what the server itself names is its own. */
static const char *const usual[] = {"/etc/redis/redis.conf", "/etc/valkey/valkey.conf",
				    "/etc/keydb/keydb.conf", "/etc/redis.conf"};

#define CANDIDATES (2 + ARRAY_SIZE(usual))

struct candidate {
	char path[PATH_LEN];
	bool named; /* by the server */
	int fd;
};

/* What the process without rights returns. */
struct found {
	struct options options;
	bool file; /* one of the candidates was its own */
};

struct search {
	const struct facts *f;
	struct candidate candidate[CANDIDATES];
	char args[ARGS_MAX];
	size_t args_len;
	bool matches;
	struct found *found; /* shared */
};

/* --- with all rights: open, read nothing --- */

static void add(struct search *s, size_t at, const char *path, bool named)
{
	struct candidate *c = &s->candidate[at];

	c->named = named;
	snprintf(c->path, sizeof(c->path), "%s", path[0] == '/' ? path : "");
}

static void take_named(void *ctx, const char *directive, const char *value)
{
	if (!strcmp(directive, "include"))
		add(ctx, 1, value, true);
}

static void read_args(struct search *s)
{
	char path[64];
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)s->f->pid);
	in = fopen(path, "re");
	s->args_len = in ? fread(s->args, 1, sizeof(s->args), in) : 0;
	if (in)
		fclose(in);
}

static bool prepare(void *ctx)
{
	struct search *s = ctx;
	int root = inside_root(s->f->pid);

	read_args(s);
	add(s, 0, s->f->config.file, true);
	server_config_args(s->args, s->args_len, take_named, s);
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		add(s, 2 + i, usual[i], false);
	for (size_t i = 0; i < CANDIDATES; i++) {
		struct candidate *c = &s->candidate[i];

		c->fd = root >= 0 && c->path[0] ? inside_read(root, c->path) : -1;
	}
	return true;
}

/* --- without rights --- */

static void match_port(void *ctx, const char *directive, const char *value)
{
	struct search *s = ctx;
	unsigned long port = strtoul(value, NULL, 10);

	if (strcmp(directive, "port") && strcmp(directive, "tls-port"))
		return;
	for (size_t i = 0; i < s->f->wire.addresses; i++)
		s->matches = s->matches || (port && s->f->wire.address[i].port == port);
}

/* Returns whether it is the server's. */
static bool read_config(struct search *s, const struct candidate *c)
{
	FILE *in = fdopen(c->fd, "r");
	char *text = in ? malloc(CONFIG_MAX) : NULL;
	size_t len = text ? fread(text, 1, CONFIG_MAX, in) : 0;

	s->matches = c->named && len;
	if (!s->matches)
		server_config_each(text, len, match_port, s);
	if (s->matches)
		option_read_config(&s->found->options, text, len);
	if (text)
		explicit_bzero(text, len);
	free(text);
	if (in)
		fclose(in);
	return s->matches;
}

static void search(void *ctx)
{
	struct search *s = ctx;
	struct found *f = s->found;

	for (size_t i = 0; i < CANDIDATES && !f->file; i++)
		f->file = s->candidate[i].fd >= 0 && read_config(s, &s->candidate[i]);
	option_read_args(&f->options, s->args, s->args_len);
}

void look_options(struct facts *f)
{
	struct options *o = &f->config.options;
	struct search *s = calloc(1, sizeof(*s));
	struct found *found = confine_alloc(sizeof(*found));
	const struct confined c = {.prepare = prepare,
				   .work = search,
				   .ctx = s,
				   .network_of = f->wire.same_network ? 0 : f->pid,
				   .seconds = SECONDS};
	char why[OPTION_WHY] = "";

	if (s && found) {
		s->f = f;
		s->found = found;
		confine(&c, why, sizeof(why));
		*o = found->options;
		option_bound(o);
	}
	o->wanted = true;
	if (option_count(o))
		snprintf(o->from, sizeof(o->from), "%s",
			 found && found->file ? "its configuration file and command line"
					      : "its command line");
	else
		snprintf(o->why, sizeof(o->why), "%.160s; %s", why[0] ? why : f->config.why,
			 found && found->file ? "its configuration file has none of these options"
					      : "no configuration file of it was found either");
	free(s);
	confine_free(found, sizeof(*found));
}
