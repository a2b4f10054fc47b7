// SPDX-License-Identifier: BSD-2-Clause
/* files.c - see files.h. */
#include "monitor/files.h"

#include "model/file_kind.h"
#include "model/rule.h"
#include "model/server_config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define VIEW_LEN (PATH_LEN + 64)

struct file {
	struct file_key key;
	uint32_t instance;
	uint32_t kind;
	bool written;
	bool unsure; /* nothing was in it yet */
	bool placed; /* dev and ino are as stat tells them */
	dev_t dev;
	ino_t ino;
	char *path; /* as the instance sees it, when last found */
	struct file_handle
		*handle; /* finds it wherever it was moved to; NULL where there are none */
};

struct files {
	struct sensors *sensors;
	void (*tell)(void *ctx, const struct event *ev);
	void *ctx;
	struct file *all;
	size_t count, room;
	char head[FILE_KIND_HEAD];
};

/* Places where configurations of servers usually are, beside where the server works. */
static const char *const config_places[] = {
	"/etc/redis",		"/etc/valkey",		 "/etc/keydb", "/usr/local/etc",
	"/usr/local/etc/redis", "/usr/local/etc/valkey", "/etc",       NULL};

struct files *files_new(struct sensors *s, void (*tell)(void *ctx, const struct event *ev),
			void *ctx)
{
	struct files *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->sensors = s;
	f->tell = tell;
	f->ctx = ctx;
	return f;
}

static void release(struct file *file)
{
	free(file->path);
	free(file->handle);
}

void files_free(struct files *f)
{
	for (size_t i = 0; f && i < f->count; i++)
		release(&f->all[i]);
	if (f)
		free(f->all);
	free(f);
}

static uint32_t own_mnt_ns(void)
{
	static struct stat st;

	if (!st.st_ino && stat("/proc/self/ns/mnt", &st))
		return 0;
	return (uint32_t)st.st_ino;
}

/*
 * What leads from the monitor's view to the instance's: its root, where it lives in a mount namespace of its own;
 * else nothing, and nobody is looked into.
 */
static size_t root_of(char buf[VIEW_LEN], const struct instance *in)
{
	buf[0] = '\0';
	if (in->mnt_ns == own_mnt_ns())
		return 0;
	return (size_t)snprintf(buf, VIEW_LEN, "/proc/%u/root", in->pid);
}

/* An instance's path as the monitor reaches it. */
static void view(char buf[VIEW_LEN], const struct instance *in, const char *path)
{
	size_t used = root_of(buf, in);

	snprintf(buf + used, VIEW_LEN - used, "%s", path);
}

static bool same_key(const struct file_key *a, const struct file_key *b)
{
	return a->ino == b->ino && a->dev == b->dev && a->generation == b->generation;
}

static struct file *find(struct files *f, uint32_t instance, const struct file_key *key)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->all[i].instance == instance && same_key(&f->all[i].key, key))
			return &f->all[i];
	}
	return NULL;
}

static struct file *add(struct files *f, uint32_t instance, const struct file_key *key)
{
	struct file *at = find(f, instance, key);

	if (at)
		return at;
	if (f->count == f->room) {
		size_t room = f->room ? f->room * 2 : 64;
		struct file *all = realloc(f->all, room * sizeof(*all));

		if (!all)
			return NULL;
		f->all = all;
		f->room = room;
	}
	at = &f->all[f->count++];
	*at = (struct file){.key = *key, .instance = instance};
	return at;
}

/* Take one out, its place taken by the last; the kernel side forgets it unless another instance has it too. */
static void drop(struct files *f, const struct instances *is, size_t i)
{
	struct file gone = f->all[i];
	const struct file *heir = NULL;

	f->all[i] = f->all[--f->count];
	for (size_t k = 0; k < f->count && !heir; k++) {
		const struct instance *in = instances_find(is, f->all[k].instance);

		if (same_key(&f->all[k].key, &gone.key) && in && in->members)
			heir = &f->all[k];
	}
	if (heir)
		sensors_file_set(f->sensors, &heir->key, heir->instance, heir->kind);
	else
		sensors_file_forget(f->sensors, &gone.key);
	release(&gone);
}

static struct file_handle *handle_of(int fd)
{
	struct file_handle *h = calloc(1, sizeof(*h) + MAX_HANDLE_SZ);
	int mount;

	if (h)
		h->handle_bytes = MAX_HANDLE_SZ;
	if (h && name_to_handle_at(fd, "", h, &mount, AT_EMPTY_PATH)) {
		free(h);
		h = NULL;
	}
	return h;
}

/* First bytes into f->head, and where stat says it is. Returns their number, 0 where it cannot be read. */
static size_t look(struct files *f, const char *where, struct file *ret)
{
	int fd = open(where, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		ret->dev = st.st_dev;
		ret->ino = st.st_ino;
		ret->placed = true;
		free(ret->handle);
		ret->handle = handle_of(fd);
		while (len < sizeof(f->head) &&
		       (n = read(fd, f->head + len, sizeof(f->head) - len)) > 0)
			len += (size_t)n;
	}
	close(fd);
	return len;
}

/* May others than owner and group read it? A directory they may not enter keeps them out. */
static bool exposed(const struct instance *in, const char *path)
{
	char where[VIEW_LEN], *slash;
	size_t root = root_of(where, in);
	struct stat st;

	view(where, in, path);
	if (stat(where, &st) || !(st.st_mode & S_IROTH))
		return false;
	while ((slash = strrchr(where, '/')) > where + root) {
		*slash = '\0';
		if (stat(where, &st) || !(st.st_mode & S_IXOTH))
			return false;
	}
	return true;
}

static void tell(struct files *f, const struct instance *in, struct event *ev, unsigned int rule,
		 unsigned int swept)
{
	ev->type = EVENT_ATTEMPT;
	ev->flags |= EVENT_FOUND_BY_SWEEP;
	ev->key = (struct attempt_key){
		.instance = in->id,
		.rule = (uint8_t)rule,
		.vector = VECTOR_SWEEP,
		.detail = swept,
	};
	ev->count = 1;
	ev->target_tgid = ev->target_tid = in->pid;
	f->tell(f->ctx, ev);
}

/* The path of a file in a directory, or one level below it; NULL if it is not there. */
static char *name_in(const struct instance *in, const struct file *file, const char *dir, int below)
{
	char where[VIEW_LEN], *path = NULL, *sub;
	struct dirent *e;
	struct stat st;
	DIR *d;

	view(where, in, dir);
	d = opendir(where);
	while (d && !path && (e = readdir(d))) {
		if (e->d_type == DT_DIR && below && e->d_name[0] != '.') {
			if (asprintf(&sub, "%s/%s", dir, e->d_name) < 0)
				break;
			path = name_in(in, file, sub, 0);
			free(sub);
		} else if (e->d_ino == file->ino && !fstatat(dirfd(d), e->d_name, &st, 0) &&
			   st.st_dev == file->dev && asprintf(&path, "%s/%s", dir, e->d_name) < 0) {
			path = NULL;
			break;
		}
	}
	if (d)
		closedir(d);
	return path;
}

/* It was renamed: dumps are written under another name, an AOF in another directory. */
static bool follow_name(const struct instance *in, struct file *file)
{
	char *slash = strrchr(file->path, '/'), *path;

	if (!slash || slash == file->path)
		return false;
	if (!file->placed) { /* as most file systems have it */
		file->dev = makedev(file->key.dev >> 20, file->key.dev & 0xfffff);
		file->ino = file->key.ino;
	}
	*slash = '\0';
	path = name_in(in, file, file->path, 1);
	*slash = '/';
	if (!path)
		return false;
	free(file->path);
	file->path = path;
	return true;
}

/* What the file is; the kernel side is told where it thought otherwise. */
static void judge(struct files *f, const struct instance *in, struct file *file,
		  unsigned int thought)
{
	char where[VIEW_LEN];
	size_t len;

	view(where, in, file->path);
	len = look(f, where, file);
	if (!file->placed && follow_name(in, file)) { /* it has another name already */
		view(where, in, file->path);
		len = look(f, where, file);
	}
	file->kind = file_kind_classify(file->path, file->written, f->head, len);
	file->unsure = !len && !file->kind;
	explicit_bzero(f->head, len);
	if (file->kind != thought)
		sensors_file_set(f->sensors, &file->key, in->id, file->kind);
}

void files_opened(struct files *f, const struct instance *in, const struct event *ev)
{
	static struct event found; /* large */
	struct file *file = add(f, in->id, &ev->file.key);
	const struct file_kind_info *kind;
	char path[PATH_LEN];

	if (!file)
		return;
	instance_exe_path(&ev->actor, &ev->object, path, sizeof(path));
	free(file->path);
	file->path = strdup(path);
	file->written = ev->file.written;
	if (!file->path) {
		drop(f, &(struct instances){}, (size_t)(file - f->all));
		return;
	}
	judge(f, in, file, ev->file.kind);
	kind = file_kind_get(file->kind);
	if (kind && kind->exposed && exposed(in, file->path)) {
		found = *ev;
		memset(&found.conn, 0, sizeof(found.conn));
		tell(f, in, &found, kind->read_rule, kind->exposed);
	}
}

static void tell_start(struct files *f, const struct instance *in, unsigned int rule,
		       unsigned int swept)
{
	static struct event found; /* large */

	found = (struct event){.magic = EVENT_MAGIC,
			       .version = EVENT_VERSION,
			       .size = sizeof(found),
			       .time_ns = in->began_ns};
	tell(f, in, &found, rule, swept);
}

void files_started(struct files *f, const struct instance *in)
{
	struct file scratch = {};
	char where[VIEW_LEN];
	size_t len;

	view(where, in, "/etc/ld.so.preload");
	len = look(f, where, &scratch);
	release(&scratch);
	for (size_t i = 0; i < len; i++) {
		if (!strchr(" \t\n", f->head[i])) {
			tell_start(f, in, RULE_MEM_INJECT, FINDING_PRELOAD_FILE);
			break;
		}
	}
}

/* --- what an instance opened before --- */

struct search {
	struct files *files;
	const struct instance *in;
	size_t found;
	bool mine; /* the configuration being read names one of its ports */
	int depth; /* includes within includes */
	char dir[PATH_MAX], append_dir[NAME_MAX + 1];
};

static void learn(struct search *s, const char *path)
{
	char where[VIEW_LEN];
	struct stat st;

	view(where, s->in, path);
	if (!stat(where, &st) && S_ISREG(st.st_mode) &&
	    !sensors_file_learn(s->files->sensors, s->in->id, where))
		s->found++;
}

static void learn_in(struct search *s, const char *dir, const char *name)
{
	char path[PATH_MAX];

	if (name[0] == '/')
		learn(s, name);
	else if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) < sizeof(path))
		learn(s, path);
}

/* Everything in a directory whose name says that it belongs to a server. */
static void learn_dir(struct search *s, const char *dir, bool all)
{
	char where[VIEW_LEN];
	struct dirent *e;
	DIR *d;

	view(where, s->in, dir);
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

static void note_port(void *ctx, const char *directive, const char *value)
{
	struct search *s = ctx;
	unsigned long port = strtoul(value, NULL, 10);

	if (strcmp(directive, "port") && strcmp(directive, "tls-port"))
		return;
	for (uint32_t i = 0; i < s->in->ports; i++)
		s->mine = s->mine || (port && s->in->port[i] == port);
}

static void read_config(struct search *s, const char *path, bool included);

static void follow(void *ctx, const char *directive, const char *value)
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
	char where[VIEW_LEN], *text;

	view(where, s->in, path);
	*ret_len = look(s->files, where, &scratch);
	release(&scratch);
	text = malloc(*ret_len + 1);
	if (text)
		memcpy(text, s->files->head, *ret_len);
	explicit_bzero(s->files->head, *ret_len);
	return text;
}

static void read_config(struct search *s, const char *path, bool included)
{
	size_t len;
	char *text;

	if (s->depth > 8)
		return;
	text = read_text(s, path, &len);
	s->depth++;
	s->mine = included;
	if (text)
		server_config_each(text, len, note_port, s);
	if (text && s->mine) {
		learn(s, path);
		server_config_each(text, len, follow, s);
	}
	if (text)
		explicit_bzero(text, len);
	free(text);
	s->depth--;
}

static void read_configs(struct search *s, const char *dir)
{
	char where[VIEW_LEN], path[PATH_MAX];
	struct dirent *e;
	DIR *d;

	view(where, s->in, dir);
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

size_t files_found(struct files *f, const struct instance *in)
{
	struct search s = {.files = f, .in = in, .append_dir = "appendonlydir"};
	char path[PATH_MAX + NAME_MAX + 2];

	snprintf(s.dir, sizeof(s.dir), "%s", in->cwd);
	for (const char *const *place = config_places; *place; place++)
		read_configs(&s, *place);
	if (in->cwd[0])
		read_configs(&s, in->cwd);
	if (s.dir[0]) {
		learn_dir(&s, s.dir, false);
		snprintf(path, sizeof(path), "%s/%s", s.dir, s.append_dir);
		learn_dir(&s, path, true);
	}
	return s.found;
}

/* --- while they exist --- */

void files_ended(struct files *f, const struct instances *is, const struct instance *in)
{
	for (size_t i = f->count; i-- > 0;) {
		if (f->all[i].instance == in->id)
			drop(f, is, i);
	}
}

/* It has left the places where its name is looked for. Some directory of its file system is needed to ask by. */
static bool follow_handle(const struct instance *in, const struct file *file)
{
	char where[VIEW_LEN], *slash;
	size_t root = root_of(where, in);
	int dir = -1, fd = -1;
	struct stat st;
	bool there;

	view(where, in, file->path);
	while (file->handle && dir < 0 && (slash = strrchr(where, '/')) && slash >= where + root) {
		slash[slash == where + root] = '\0';
		dir = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (slash == where + root)
			break;
	}
	if (dir >= 0)
		fd = open_by_handle_at(dir, file->handle, O_PATH | O_CLOEXEC);
	there = fd >= 0 && !fstat(fd, &st) && st.st_nlink;
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	return there;
}

static bool exists(const struct instance *in, struct file *file)
{
	char where[VIEW_LEN];
	struct stat st;

	view(where, in, file->path);
	return (file->placed && !stat(where, &st) && st.st_ino == file->ino &&
		st.st_dev == file->dev) ||
	       follow_name(in, file) || follow_handle(in, file);
}

void files_tidy(struct files *f, const struct instances *is)
{
	for (size_t i = f->count; i-- > 0;) {
		struct file *file = &f->all[i];
		const struct instance *in = instances_find(is, file->instance);

		if (!in || !in->members)
			continue; /* its end is told by an event */
		if (!exists(in, file))
			drop(f, is, i);
		else if (file->unsure || !file->placed)
			judge(f, in, file, file->kind);
	}
}

size_t files_count(const struct files *f, uint32_t instance)
{
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++)
		n += f->all[i].instance == instance && f->all[i].kind;
	return n;
}
