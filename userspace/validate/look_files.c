// SPDX-License-Identifier: BSD-2-Clause
/* look_files.c - modes and owners of the server's files. Nothing is opened but directories; symbolic links are followed. */
#include "validate/look.h"

#include "base/proc.h"
#include "validate/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRIES_MAX 4096 /* of a directory */

void look_path(const struct facts *f, const char *path, char *buf, size_t size)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)f->pid);
	if (proc_mnt_ns(pid) == proc_mnt_ns("self"))
		snprintf(buf, size, "%s", path);
	else
		snprintf(buf, size, "/proc/%d/root%s", (int)f->pid, path);
}

struct place {
	char where[2 * PATH_LEN]; /* as this process reaches it */
	size_t root;		  /* length of what is not the server's */
};

/* Paths in a configuration may be relative to dir. */
static bool place_of(const struct facts *f, const char *path, struct place *ret)
{
	char full[2 * PATH_LEN];

	if (!path[0])
		return false;
	if (path[0] == '/')
		snprintf(full, sizeof(full), "%.1023s", path);
	else
		snprintf(full, sizeof(full), "%.1000s/%.1000s", f->config.value[DIR_DIR], path);
	look_path(f, full, ret->where, sizeof(ret->where));
	look_path(f, "", full, sizeof(full));
	ret->root = strlen(full);
	return true;
}

/* May others pass all directories above? */
static bool others_pass(const struct place *p)
{
	char where[sizeof(p->where)], *slash;
	struct stat st;

	snprintf(where, sizeof(where), "%s", p->where);
	while ((slash = strrchr(where + p->root, '/')) && slash > where) {
		*slash = '\0';
		if (stat(where, &st) || !(st.st_mode & S_IXOTH))
			return false;
	}
	return true;
}

static void add_file(struct facts *f, enum file_role role, const struct place *p,
		     const struct stat *st)
{
	struct facts_files *files = &f->files;
	bool pass = others_pass(p);
	struct facts_file *file;

	/* those that nobody else may use make room for the others */
	if (files->files == FACTS_FILES && !(pass && st->st_mode & 07))
		return;
	if (files->files == FACTS_FILES) {
		files->files_cut = true;
		return;
	}
	file = &files->file[files->files++];
	snprintf(file->path, sizeof(file->path), "%.1000s", p->where + p->root);
	file->role = role;
	file->uid = st->st_uid;
	file->gid = st->st_gid;
	file->mode = st->st_mode & 07777;
	file->others_read = pass && st->st_mode & S_IROTH;
	file->others_write = pass && st->st_mode & S_IWOTH;
}

static void look_at(struct facts *f, enum file_role role, const char *path)
{
	struct place p;
	struct stat st;

	if (!place_of(f, path, &p))
		return;
	if (!stat(p.where, &st))
		add_file(f, role, &p, &st);
	else if (errno != ENOENT)
		snprintf(f->files.why, sizeof(f->files.why),
			 "%.180s: %s; run as root or as its user", path, strerror(errno));
}

/* A dump, a log of commands, or a copy of one that somebody left there: "dump.rdb.bak". */
static bool is_data(const struct facts *f, const char *name)
{
	const char *dump = f->config.value[DIR_DBFILENAME],
		   *log = f->config.value[DIR_APPENDFILENAME];

	return strstr(name, ".rdb") || strstr(name, ".aof") || (dump[0] && strstr(name, dump)) ||
	       (log[0] && strstr(name, log));
}

/* appended: the directory holds nothing but data. */
static void look_into(struct facts *f, const char *path, bool appended)
{
	struct place p, entry;
	struct dirent *d;
	struct stat st;
	size_t n = 0;
	DIR *dir;

	if (!place_of(f, path, &p))
		return;
	dir = opendir(p.where);
	if (!dir && errno != ENOENT)
		snprintf(f->files.why, sizeof(f->files.why),
			 "%.180s: %s; run as root or as its user", path, strerror(errno));
	while (dir && (d = readdir(dir)) && n++ < ENTRIES_MAX) {
		entry = p;
		snprintf(entry.where, sizeof(entry.where), "%.1000s/%.255s", p.where, d->d_name);
		if (lstat(entry.where, &st))
			continue;
		if (S_ISREG(st.st_mode) && (appended || is_data(f, d->d_name))) {
			add_file(f, ROLE_DATA, &entry, &st);
			f->files.stored = true;
		}
		if (!appended && S_ISDIR(st.st_mode) &&
		    !strcmp(d->d_name, f->config.value[DIR_APPENDDIRNAME]))
			look_into(f, d->d_name, true);
	}
	if (dir)
		closedir(dir);
}

static void look_at_device(struct facts *f)
{
	struct place p;

	if (!place_of(f, f->config.value[DIR_DIR], &p))
		return;
	f->files.encrypted = look_device(p.where, f->files.place, sizeof(f->files.place));
}

void look_files(struct facts *f)
{
	const struct facts_config *c = &f->config;

	if (c->why[0])
		return;
	f->files.persists = c->value[DIR_SAVE][0] || !strcmp(c->value[DIR_APPENDONLY], "yes");
	look_at(f, ROLE_KEY, c->value[DIR_TLS_KEY]);
	look_at(f, ROLE_KEY, c->value[DIR_TLS_CLIENT_KEY]);
	look_at(f, ROLE_CONFIG, c->file);
	look_at(f, ROLE_ACL, c->value[DIR_ACLFILE]);
	look_at(f, ROLE_SOCKET, c->value[DIR_UNIXSOCKET]);
	look_into(f, c->value[DIR_DIR], false);
	look_at_device(f);
}
