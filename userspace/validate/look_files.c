// SPDX-License-Identifier: BSD-2-Clause
/* look_files.c - modes and owners of the server's files. Nothing is opened but directories; symbolic links are followed. */
#include "validate/look.h"

#include "validate/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRIES_MAX 4096 /* of a directory */
#define FULL_LEN (2 * PATH_LEN)

/* What the paths of a server's configuration name. */
struct search {
	struct facts *f;
	int root; /* of the server */
};

/* A file or directory. */
struct place {
	char path[FULL_LEN];
	int fd; /* O_PATH */
	struct stat st;
};

/* What could not be looked at is not judged. */
static void unseen(struct search *s, enum file_role role, const char *path, int err)
{
	char *why = s->f->files.role_why[role];

	snprintf(why, FACTS_WHY, "%.100s: %s", path, look_text(-err));
}

/* Paths in a configuration may be relative to dir. Returns 0 or a negative errno. */
static int find(const struct search *s, const char *path, struct place *ret)
{
	if (path[0] == '/')
		snprintf(ret->path, sizeof(ret->path), "%.1023s", path);
	else
		snprintf(ret->path, sizeof(ret->path), "%.1000s/%.1000s",
			 s->f->config.value[DIR_DIR], path);
	ret->fd = inside_find(s->root, ret->path);
	if (ret->fd < 0)
		return ret->fd;
	if (!fstat(ret->fd, &ret->st))
		return 0;
	close(ret->fd);
	return -EIO;
}

static void add_file(struct facts *f, enum file_role role, const char *path, const struct stat *st,
		     bool pass)
{
	struct facts_files *files = &f->files;
	struct facts_file *file;

	/* those that nobody else may use make room for the others */
	if (files->files == FACTS_FILES && !(pass && st->st_mode & 07))
		return;
	if (files->files == FACTS_FILES) {
		files->files_cut = true;
		return;
	}
	file = &files->file[files->files++];
	snprintf(file->path, sizeof(file->path), "%.1000s", path);
	file->role = role;
	file->uid = st->st_uid;
	file->gid = st->st_gid;
	file->mode = st->st_mode & 07777;
	file->others_read = pass && st->st_mode & S_IROTH;
	file->others_write = pass && st->st_mode & S_IWOTH;
}

static void look_at(struct search *s, enum file_role role, const char *path)
{
	struct place p;
	int err = path[0] ? find(s, path, &p) : -ENODATA;

	if (!err) {
		add_file(s->f, role, p.path, &p.st, inside_others_pass(s->root, p.fd));
		close(p.fd);
	} else if (path[0]) {
		unseen(s, role, path, err);
	}
}

/* A dump, a log of commands, or a copy of one that somebody left there: "dump.rdb.bak". */
static bool is_data(const struct facts *f, const char *name)
{
	const char *dump = f->config.value[DIR_DBFILENAME],
		   *log = f->config.value[DIR_APPENDFILENAME];

	return strstr(name, ".rdb") || strstr(name, ".aof") || (dump[0] && strstr(name, dump)) ||
	       (log[0] && strstr(name, log));
}

static void look_into(struct search *s, const char *path, bool appended);

/* An entry of a directory. pass: others may pass the directory. */
static void look_at_entry(struct search *s, int dir, const char *path, const char *name,
			  bool appended, bool pass)
{
	bool data = appended || is_data(s->f, name);
	char full[FULL_LEN];
	struct place p;
	struct stat st;
	int err;

	snprintf(full, sizeof(full), "%.1000s/%.255s", path, name);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (errno != ENOENT) /* a dump is written beside its place */
			unseen(s, ROLE_DATA, full, -errno);
		return;
	}
	if (S_ISLNK(st.st_mode) && data) {
		err = find(s, full, &p);
		if (err) {
			unseen(s, ROLE_DATA, full, err);
			return;
		}
		st = p.st;
		pass = inside_others_pass(s->root, p.fd);
		close(p.fd);
	}
	if (S_ISREG(st.st_mode) && data) {
		add_file(s->f, ROLE_DATA, full, &st, pass);
		s->f->files.stored = true;
	}
	if (!appended && !S_ISREG(st.st_mode) &&
	    !strcmp(name, s->f->config.value[DIR_APPENDDIRNAME]))
		look_into(s, full, true);
}

/* appended: the directory holds nothing but data. */
static void look_into(struct search *s, const char *path, bool appended)
{
	struct place p;
	int err = path[0] ? find(s, path, &p) : -ENODATA, fd;
	struct dirent *d;
	size_t n = 0;
	bool pass;
	DIR *dir;

	if (err) {
		unseen(s, ROLE_DATA, path[0] ? path : "dir", err);
		return;
	}
	pass = inside_others_pass(s->root, p.fd);
	fd = inside_list(p.fd);
	close(p.fd);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir)
		unseen(s, ROLE_DATA, path, fd < 0 ? fd : -ENOMEM);
	while (dir && (d = readdir(dir))) {
		if (n++ == ENTRIES_MAX) {
			s->f->files.files_cut = true;
			break;
		}
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			look_at_entry(s, dirfd(dir), p.path, d->d_name, appended, pass);
	}
	if (dir)
		closedir(dir);
}

static void look_at_device(struct search *s)
{
	struct facts_files *files = &s->f->files;
	struct place p;
	char own[32];

	if (find(s, s->f->config.value[DIR_DIR], &p)) {
		snprintf(files->place, sizeof(files->place), "its dir cannot be seen");
		return;
	}
	snprintf(own, sizeof(own), "/proc/self/fd/%d", p.fd);
	files->encrypted = look_device(own, files->place, sizeof(files->place));
	close(p.fd);
}

void look_files(struct facts *f)
{
	const struct facts_config *c = &f->config;
	struct search s = {f, -1};

	if (c->why[0])
		return;
	s.root = inside_root(f->pid);
	if (s.root < 0) {
		snprintf(f->files.why, sizeof(f->files.why), "its files cannot be seen: %s",
			 look_text(-s.root));
		return;
	}
	f->files.persists = c->value[DIR_SAVE][0] || !strcmp(c->value[DIR_APPENDONLY], "yes");
	look_at(&s, ROLE_KEY, c->value[DIR_TLS_KEY]);
	look_at(&s, ROLE_KEY, c->value[DIR_TLS_CLIENT_KEY]);
	look_at(&s, ROLE_CONFIG, c->file);
	look_at(&s, ROLE_ACL, c->value[DIR_ACLFILE]);
	look_at(&s, ROLE_SOCKET, c->value[DIR_UNIXSOCKET]);
	look_into(&s, c->value[DIR_DIR], false);
	look_at_device(&s);
	close(s.root);
}
