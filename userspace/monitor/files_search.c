// SPDX-License-Identifier: BSD-2-Clause
/* files_search.c - see files_search.h. */
#include "monitor/files_search.h"

#include "model/server_config.h"
#include "monitor/file_probe.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Searched for configuration files, as is the working directory of the server. */
static const char *const config_dirs[] = {
	"/etc/redis",		"/etc/valkey",		 "/etc/keydb", "/usr/local/etc",
	"/usr/local/etc/redis", "/usr/local/etc/valkey", "/etc",       NULL};

#define INCLUDES_MAX 8 /* nested; a file may include itself */

struct search {
	struct sensors *sensors;
	const struct instance *in;
	/* the file being read names one of the instance's ports, or was included by one that does */
	bool matches;
	int depth; /* of nested includes */
	char dir[PATH_MAX], append_dir[NAME_MAX + 1];
};

static void learn(struct search *s, const char *path)
{
	char where[FILE_PROBE_PATH];
	struct stat st;

	file_probe_path(where, s->in, path);
	if (!stat(where, &st) && S_ISREG(st.st_mode))
		sensors_file_learn(s->sensors, s->in->id, where); /* best effort */
}

static void learn_in(struct search *s, const char *dir, const char *name)
{
	char path[PATH_MAX];

	if (name[0] == '/')
		learn(s, name);
	else if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) < sizeof(path))
		learn(s, path);
}

/* Learn the files of a directory whose names are those of server files; with all, every one that is not hidden. */
static void learn_dir(struct search *s, const char *dir, bool all)
{
	char where[FILE_PROBE_PATH];
	struct dirent *e;
	DIR *d;

	file_probe_path(where, s->in, dir);
	d = opendir(where);
	while (d && (e = readdir(d))) {
		unsigned int kind = file_kind_classify(e->d_name, false, "", 0);

		if (kind == FILE_DATA || kind == FILE_ACL || (all && e->d_name[0] != '.') ||
		    (kind == FILE_CONFIG && !strncmp(e->d_name, "nodes", strlen("nodes"))))
			learn_in(s, dir, e->d_name);
	}
	if (d)
		closedir(d);
}

static void match_port(void *ctx, const char *directive, const char *value)
{
	struct search *s = ctx;
	unsigned long port = strtoul(value, NULL, 10);

	if (strcmp(directive, "port") && strcmp(directive, "tls-port"))
		return;
	for (uint32_t i = 0; i < s->in->ports; i++)
		s->matches = s->matches || (port && s->in->port[i] == port);
}

static void read_config(struct search *s, const char *path, bool included);

static void apply_directive(void *ctx, const char *directive, const char *value)
{
	static const char *const named[] = {"aclfile",
					    "dbfilename",
					    "tls-key-file",
					    "tls-client-key-file",
					    "cluster-config-file",
					    NULL};
	struct search *s = ctx;

	if (!strcmp(directive, "dir") && value[0] == '/')
		snprintf(s->dir, sizeof(s->dir), "%s", value);
	else if (!strcmp(directive, "appenddirname"))
		snprintf(s->append_dir, sizeof(s->append_dir), "%s", value);
	else if (!strcmp(directive, "include") && value[0] == '/')
		read_config(s, value, true);
	for (const char *const *name = named; *name; name++) {
		if (!strcmp(directive, *name))
			learn_in(s, s->dir, value);
	}
}

static char *read_text(struct search *s, const char *path, size_t *ret_len)
{
	struct file scratch = {};
	char where[FILE_PROBE_PATH], *text = malloc(FILE_KIND_HEAD);

	if (!text)
		return NULL;
	file_probe_path(where, s->in, path);
	*ret_len = file_probe_read(text, where, &scratch);
	file_probe_release(&scratch);
	return text;
}

static void read_config(struct search *s, const char *path, bool included)
{
	size_t len;
	char *text;

	if (s->depth > INCLUDES_MAX)
		return;
	text = read_text(s, path, &len);
	s->depth++;
	s->matches = included;
	if (text)
		server_config_each(text, len, match_port, s);
	if (text && s->matches) {
		learn(s, path);
		server_config_each(text, len, apply_directive, s);
	}
	if (text)
		explicit_bzero(text, len);
	free(text);
	s->depth--;
}

static void read_configs(struct search *s, const char *dir)
{
	char where[FILE_PROBE_PATH], path[PATH_MAX];
	struct dirent *e;
	DIR *d;

	file_probe_path(where, s->in, dir);
	d = opendir(where);
	while (d && (e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (n > 5 && !strcmp(e->d_name + n - 5, ".conf") &&
		    (size_t)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) < sizeof(path))
			read_config(s, path, false);
	}
	if (d)
		closedir(d);
}

void files_search(struct sensors *sensors, const struct instance *in)
{
	struct search s = {.sensors = sensors, .in = in, .append_dir = "appendonlydir"};
	char path[PATH_MAX + NAME_MAX + 2];

	snprintf(s.dir, sizeof(s.dir), "%s", in->cwd);
	for (const char *const *dir = config_dirs; *dir; dir++)
		read_configs(&s, *dir);
	if (in->cwd[0])
		read_configs(&s, in->cwd);
	if (s.dir[0]) {
		learn_dir(&s, s.dir, false);
		snprintf(path, sizeof(path), "%s/%s", s.dir, s.append_dir);
		learn_dir(&s, path, true);
	}
}
