// SPDX-License-Identifier: BSD-2-Clause
/* files_search.c - see files_search.h. */
#include "monitor/files_search.h"

#include "base/proc.h"
#include "base/str.h"
#include "model/server_config.h"
#include "monitor/file_probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Searched for configuration files, as is the working directory of the server. */
static const char *const config_dirs[] = {
	"/etc/redis",		"/etc/valkey",		 "/etc/keydb", "/usr/local/etc",
	"/usr/local/etc/redis", "/usr/local/etc/valkey", "/etc",       NULL};

/* A file may include itself, and who runs the server may write as many files as they like: reading has to end. */
#define INCLUDES_MAX 8		     /* nested */
#define CONFIG_MAX (1u << 20)	     /* bytes of one file that are read */
#define CONFIGS_MAX (64u << 20)	     /* bytes of all files */
#define CONFIG_COST_LEAST (4u << 10) /* what opening a file counts for, however small it is */
#define ARGS_MAX (16u << 10)	     /* bytes of a command line that are read */
#define FILES_SEEN_MAX 16384	     /* in all directories of a server */
#define LEARNED_MAX 1024	     /* files of a server */

struct search {
	struct files *files;
	struct sensors *sensors;
	const struct instance *in;
	/* the file being read names one of the instance's ports, or was included by one that does */
	bool matches;
	int depth;		 /* of nested includes */
	size_t cost;		 /* of all configuration files so far */
	unsigned int learned;	 /* files so far: each is an event */
	unsigned int files_seen; /* so far; a directory may have millions */
	char dir[PATH_MAX], append_dir[NAME_MAX + 1];
};

static bool is_gone(int err)
{
	return err == -ENOENT || err == -ENOTDIR;
}

static void learn(struct search *s, const char *path)
{
	char where[FILE_PROBE_PATH];
	struct stat st;
	int err = 0;

	file_probe_path(where, s->in, path);
	if (stat(where, &st))
		err = -errno;
	else if (S_ISREG(st.st_mode) && s->learned++ >= LEARNED_MAX)
		err = -E2BIG;
	else if (S_ISREG(st.st_mode))
		err = sensors_file_learn(s->sensors, s->in->id, where);
	if (err && !is_gone(err))
		files_unprotected(s->files, s->in, path, err);
}

static void learn_in(struct search *s, const char *dir, const char *name)
{
	char path[PATH_MAX];

	if (name[0] == '/')
		learn(s, name);
	else if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) < sizeof(path))
		learn(s, path);
	else
		files_unprotected(s->files, s->in, path, -ENAMETOOLONG);
}

/* A directory of the server. NULL if there is none, or after counting the error. */
static DIR *open_dir(struct search *s, const char *dir)
{
	char where[FILE_PROBE_PATH];
	DIR *d;

	file_probe_path(where, s->in, dir);
	d = opendir(where);
	if (!d && !is_gone(-errno))
		files_unprotected(s->files, s->in, dir, -errno);
	return d;
}

/* The search has to end, whatever the server's user puts there. */
static struct dirent *next_file(struct search *s, DIR *d, const char *dir)
{
	struct dirent *e = s->files_seen < FILES_SEEN_MAX ? readdir(d) : NULL;

	if (s->files_seen == FILES_SEEN_MAX)
		files_unprotected(s->files, s->in, dir, -E2BIG);
	s->files_seen += s->files_seen <= FILES_SEEN_MAX;
	return e;
}

/* Learn the files of a directory whose names are those of server files; with all, every one that is not hidden. */
static void learn_dir(struct search *s, const char *dir, bool all)
{
	DIR *d = open_dir(s, dir);
	struct dirent *e;

	while (d && (e = next_file(s, d, dir))) {
		unsigned int kind = file_kind_classify(e->d_name, false, "", 0);

		if (kind == FILE_DATA || kind == FILE_ACL || kind == FILE_KEY ||
		    str_ends_with(e->d_name, ".pem") || (all && e->d_name[0] != '.') ||
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

/* Those that a pattern names: since Redis 7 it may match nothing. Only file names: a pattern of directories may have no end. */
static void read_matching(struct search *s, const char *value, const char *pattern)
{
	char dir[PATH_MAX], path[PATH_MAX];
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof(dir), "%.*s", (int)(pattern - value), value);
	if (strpbrk(dir, "*?[")) {
		files_config_unread(s->files, s->in, value, "a pattern in the name of a directory");
		return;
	}
	d = open_dir(s, dir);
	while (d && (e = next_file(s, d, dir))) {
		if (!fnmatch(pattern, e->d_name, FNM_PERIOD) &&
		    (size_t)snprintf(path, sizeof(path), "%s%s", dir, e->d_name) < sizeof(path))
			read_config(s, path, true);
	}
	if (d)
		closedir(d);
}

/* The value of an include. */
static void read_included(struct search *s, const char *value)
{
	const char *name = strrchr(value, '/');
	char where[FILE_PROBE_PATH];

	file_probe_path(where, s->in, value);
	if (value[0] != '/') /* relative to where the server was started, which is not known */
		files_config_unread(s->files, s->in, value, "named by a relative path");
	else if (strpbrk(value, "*?["))
		read_matching(s, value, name + 1);
	else if (access(where, R_OK))
		files_config_unread(s->files, s->in, value, "not found, or not readable");
	else
		read_config(s, value, true);
}

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
	else if (!strcmp(directive, "include"))
		read_included(s, value);
	for (const char *const *name = named; *name; name++) {
		if (!strcmp(directive, *name))
			learn_in(s, s->dir, value);
	}
}

/* Up to max bytes of a regular file. Returns how many, or a negative errno. */
static ssize_t read_file(const char *where, char *buf, size_t max)
{
	int fd = open(where, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t n = 0;
	size_t len = 0;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		while (len < max && (n = read(fd, buf + len, max - len)) > 0)
			len += (size_t)n;
	}
	if (n < 0) {
		n = -errno;
		explicit_bzero(buf, len);
	}
	close(fd);
	return n < 0 ? n : (ssize_t)len;
}

/* Learn the files that a configuration names, if it is the instance's. Returns whether it may be. */
static bool apply_config(struct search *s, const char *path, const char *text, size_t len)
{
	size_t known = server_config_each(text, len, match_port, s);

	if (!s->matches)
		return known > 1;
	learn(s, path);
	server_config_each(text, len, apply_directive, s);
	return true;
}

/* The same for a file whose contents go to buf, of CONFIG_MAX + 1 bytes. */
static void read_config_into(struct search *s, const char *path, char *buf)
{
	char where[FILE_PROBE_PATH];
	bool cut, included = s->matches;
	ssize_t n;
	size_t len;

	file_probe_path(where, s->in, path);
	n = read_file(where, buf, CONFIG_MAX + 1);
	if (n < 0) {
		if (included || !is_gone((int)n))
			files_config_unread(s->files, s->in, path, strerror((int)-n));
		return;
	}
	len = (size_t)n;
	cut = len > CONFIG_MAX;
	s->cost += len > CONFIG_COST_LEAST ? len : CONFIG_COST_LEAST;
	while (cut && len && buf[len - 1] != '\n') /* a part of a line says something else */
		len--;
	if (apply_config(s, path, buf, len) && cut)
		files_config_unread(s->files, s->in, path, "larger than 1 MiB");
	explicit_bzero(buf, (size_t)n);
}

static void read_config(struct search *s, const char *path, bool included)
{
	char *buf;

	if (s->depth > INCLUDES_MAX || s->cost >= CONFIGS_MAX) {
		files_config_unread(s->files, s->in, path, "too many files, or includes too deep");
		return;
	}
	buf = malloc(CONFIG_MAX + 1);
	if (!buf) {
		files_config_unread(s->files, s->in, path, strerror(ENOMEM));
		return;
	}
	s->depth++;
	s->matches = included;
	read_config_into(s, path, buf);
	s->depth--;
	free(buf);
}

static void read_configs(struct search *s, const char *dir)
{
	DIR *d = open_dir(s, dir);
	char path[PATH_MAX];
	struct dirent *e;

	while (d && (e = next_file(s, d, dir))) {
		if (str_ends_with(e->d_name, ".conf") &&
		    (size_t)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) < sizeof(path))
			read_config(s, path, false);
	}
	if (d)
		closedir(d);
}

/* Most servers overwrite their command line with a title of their own; it then says nothing. */
static void each_argument(const struct instance *in,
			  void (*fn)(void *ctx, const char *directive, const char *value),
			  void *ctx)
{
	char args[ARGS_MAX];
	uint32_t len = proc_args((pid_t)in->pid, in->start_ns, args, sizeof(args));

	server_config_args(args, len, fn, ctx);
}

/* Its data, in the directory where it keeps them. */
static void learn_data(struct search *s, const char *dir)
{
	char path[PATH_MAX + NAME_MAX + 2];

	if (!dir[0])
		return;
	learn_dir(s, dir, false);
	snprintf(path, sizeof(path), "%s/%s", dir, s->append_dir);
	learn_dir(s, path, true);
}

void files_search(struct files *f, struct sensors *sensors, const struct instance *in)
{
	struct search s = {.files = f, .sensors = sensors, .in = in, .append_dir = "appendonlydir"};

	snprintf(s.dir, sizeof(s.dir), "%s", in->cwd);
	for (const char *const *dir = config_dirs; *dir; dir++)
		read_configs(&s, *dir);
	if (in->cwd[0])
		read_configs(&s, in->cwd);
	s.matches = true; /* what its own command line names is its own */
	each_argument(in, apply_directive, &s);
	learn_data(&s, in->cwd); /* the directory it has now, whatever it was started with */
	if (strcmp(s.dir, in->cwd))
		learn_data(&s, s.dir);
}

void files_answered(struct files *f, struct sensors *sensors, const struct instance *in,
		    const char *const *directive, const char *const *value, size_t n)
{
	struct search s = {.files = f,
			   .sensors = sensors,
			   .in = in,
			   .matches = true,
			   .append_dir = "appendonlydir"};

	for (size_t i = 0; i < n; i++) {
		if (value[i][0])
			apply_directive(&s, directive[i], value[i]);
	}
	learn_data(&s, s.dir);
}

/* --- single directives --- */

static void each_directive(const struct instance *in, const char *path,
			   void (*fn)(void *ctx, const char *directive, const char *value),
			   void *ctx)
{
	char where[FILE_PROBE_PATH], *buf = malloc(CONFIG_MAX);
	ssize_t n;

	if (!buf)
		return;
	file_probe_path(where, in, path);
	n = read_file(where, buf, CONFIG_MAX);
	if (n > 0) {
		server_config_each(buf, (size_t)n, fn, ctx);
		explicit_bzero(buf, (size_t)n);
	}
	free(buf);
}

struct wanted {
	const struct instance *in;
	const char *directive;
	char *value;
	size_t size;
};

static void note_value(void *ctx, const char *directive, const char *value)
{
	struct wanted *w = ctx;

	if (!strcmp(directive, w->directive))
		snprintf(w->value, w->size, "%s", value);
}

static bool note_values(void *ctx, const char *path)
{
	const struct wanted *w = ctx;

	each_directive(w->in, path, note_value, ctx);
	return false; /* look into the others, too */
}

void files_directive(const struct files *f, const struct instance *in, const char *directive,
		     char *value, size_t size)
{
	struct wanted w = {in, directive, value, size};

	value[0] = '\0';
	files_any(f, in->id, FILE_CONFIG, note_values, &w);
	each_argument(in, note_value, &w);
}

static void note_tls_port(void *ctx, const char *directive, const char *value)
{
	bool *found = ctx;

	if (!strcmp(directive, "tls-port")) /* the last one of a file applies */
		*found = strtoul(value, NULL, 10) > 0;
}

static bool names_tls_port(void *ctx, const char *path)
{
	bool found = false;

	each_directive(ctx, path, note_tls_port, &found);
	return found;
}

bool files_name_tls_port(const struct files *f, const struct instance *in)
{
	struct instance copy = *in; /* the callback's context is not const */

	return files_any(f, in->id, FILE_CONFIG, names_tls_port, &copy);
}
