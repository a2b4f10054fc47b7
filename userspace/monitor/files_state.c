// SPDX-License-Identifier: BSD-2-Clause
/* files_state.c - see files_state.h. */
#include "monitor/files_state.h"

#include "base/hash.h"
#include "base/host.h"
#include "monitor/file_probe.h"
#include "monitor/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_NAME "files"
#define STATE_VERSION 2
#define STATE_MAX (8u << 20) /* bytes; more is damage */

struct text {
	char *at;
	size_t len;
	FILE *to;
	const struct instances *is;
};

/* --- writing --- */

/* Paths are chosen by others: everything but plain characters is escaped. */
static void put_path(FILE *to, const char *path)
{
	for (const char *c = path; *c; c++) {
		if (*c > ' ' && *c < 127 && *c != '%')
			putc(*c, to);
		else
			fprintf(to, "%%%02x", (unsigned char)*c);
	}
}

static void put_file(void *ctx, const struct file *file)
{
	const struct text *t = ctx;
	const struct instance *in = instances_find(t->is, file->instance);

	if (!in || !in->members || !file->identified || !file->kind || file->kind == FILE_CODE)
		return;
	fprintf(t->to, "%u %" PRIu64 " %" PRIu64 " %" PRIu64 " ", in->pid, in->start_ns,
		(uint64_t)file->dev, (uint64_t)file->ino);
	put_path(t->to, file->path);
	putc('\n', t->to);
}

/* Also of those without a number: somebody else in their place has one. */
static void put_servers(FILE *to, const struct instances *is)
{
	for (size_t i = 0; i < is->count; i++) {
		const struct instance *in = is->all[i];

		if (in->members && in->ports)
			fprintf(to, "server %u %" PRIu64 " %u\n", in->pid, in->start_ns,
				in->number);
	}
}

static int replace(const char *text, size_t len)
{
	char name[64];
	int dir = run_dir_open(), fd, err = 0;

	if (dir < 0)
		return dir;
	snprintf(name, sizeof(name), ".%s.%d", STATE_NAME, (int)getpid());
	unlinkat(dir, name, 0); /* of a monitor that was killed and had this pid */
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		err = -errno;
	while (!err && len) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			err = -errno;
		else
			len -= (size_t)n;
		text += n > 0 ? n : 0;
	}
	if (fd >= 0)
		close(fd);
	if (!err && renameat(dir, name, dir, STATE_NAME))
		err = -errno;
	if (err && fd >= 0)
		unlinkat(dir, name, 0);
	close(dir);
	return err;
}

int files_state_save(const struct files *f, const struct instances *is, bool always)
{
	static uint64_t last;
	struct text t = {.is = is};
	uint64_t hash;
	int err;

	t.to = open_memstream(&t.at, &t.len);
	if (!t.to)
		return -ENOMEM;
	fprintf(t.to, "cachewarden files %d %s\n", STATE_VERSION, host_get()->boot_id);
	put_servers(t.to, is);
	files_each(f, put_file, &t);
	fprintf(t.to, "end\n");
	if (fclose(t.to)) {
		free(t.at);
		return -ENOMEM;
	}
	hash = hash_bytes(HASH_INIT, t.at, t.len);
	err = hash == last && !always ? 0 : replace(t.at, t.len);
	if (!err)
		last = hash;
	free(t.at);
	return err;
}

/* --- reading --- */

static int read_all(char **ret)
{
	int dir = run_dir_open(), fd, err = 0;
	struct stat st;
	size_t len = 0;
	ssize_t n = 1;

	if (dir < 0)
		return dir;
	fd = openat(dir, STATE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		err = -errno;
	close(dir);
	if (err)
		return err;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid || st.st_mode & 022)
		err = -EPERM;
	else if (st.st_size > STATE_MAX)
		err = -EFBIG;
	*ret = err ? NULL : calloc(1, (size_t)st.st_size + 1);
	if (!err && !*ret)
		err = -ENOMEM;
	while (!err && len < (size_t)st.st_size && n > 0) {
		n = read(fd, *ret + len, (size_t)st.st_size - len);
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	return err;
}

/* In place. Returns false if an escape is wrong or hides a NUL. */
static bool unescape(char *path)
{
	char *to = path;
	unsigned int byte;

	for (char *c = path; *c; c++) {
		if (*c == '%') {
			if (sscanf(c + 1, "%2x", &byte) != 1 || !byte || !c[1] || !c[2])
				return false;
			*to++ = (char)byte;
			c += 2;
		} else {
			*to++ = *c;
		}
	}
	*to = '\0';
	return path[0] == '/';
}

/* A server or a file. */
struct line {
	uint32_t pid;
	uint64_t start_ns, dev, ino;
	unsigned int number;
	char *path; /* NULL: a server */
};

struct files_state {
	char *text; /* the lines point into it */
	struct line *lines;
	size_t count;
};

static bool parse_server(const char *text, struct line *ret)
{
	int at = 0;

	*ret = (struct line){};
	return sscanf(text, "server %" SCNu32 " %" SCNu64 " %u%n", &ret->pid, &ret->start_ns,
		      &ret->number, &at) == 3 &&
	       !text[at] && ret->number <= INT_MAX;
}

static bool parse(char *text, struct line *ret)
{
	int at = 0;

	if (!strncmp(text, "server ", 7))
		return parse_server(text, ret);
	if (sscanf(text, "%" SCNu32 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %n", &ret->pid,
		   &ret->start_ns, &ret->dev, &ret->ino, &at) != 4 ||
	    !at)
		return false;
	ret->path = text + at;
	return unescape(ret->path);
}

static bool is_header(const char *text)
{
	char want[96];

	snprintf(want, sizeof(want), "cachewarden files %d %s", STATE_VERSION, host_get()->boot_id);
	return !strcmp(text, want);
}

/* Check all lines before the first is used: a file cut short says nothing. */
static int parse_all(struct files_state *st, unsigned int *ret_line)
{
	char *save = NULL, *at = strtok_r(st->text, "\n", &save);
	struct line *more;

	*ret_line = 1;
	if (!at || strncmp(at, "cachewarden files ", 18))
		return -EBADMSG;
	if (!is_header(at)) /* of another boot or version */
		return -ENOENT;
	while ((at = strtok_r(NULL, "\n", &save)) && ++*ret_line && strcmp(at, "end")) {
		more = realloc(st->lines, (st->count + 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		st->lines = more;
		if (!parse(at, &more[st->count]))
			return -EBADMSG;
		st->count++;
	}
	return at ? 0 : -EBADMSG;
}

int files_state_load(struct files_state **ret, unsigned int *ret_line)
{
	struct files_state *st = calloc(1, sizeof(*st));
	int err = st ? read_all(&st->text) : -ENOMEM;

	if (!err)
		err = parse_all(st, ret_line);
	if (err) {
		files_state_free(st);
		st = NULL;
	}
	*ret = st;
	return err;
}

void files_state_free(struct files_state *st)
{
	if (!st)
		return;
	free(st->lines);
	free(st->text);
	free(st);
}

/* --- using it --- */

static bool is_process(const struct line *l, const struct instance *in)
{
	return in->members && in->pid == l->pid && in->start_ns == l->start_ns;
}

static int number_of(const void *ctx, const struct instance *in)
{
	const struct files_state *st = ctx;

	for (size_t i = 0; st && i < st->count; i++) {
		if (!st->lines[i].path && is_process(&st->lines[i], in))
			return (int)st->lines[i].number;
	}
	return -1;
}

void files_state_number(const struct files_state *st, struct instances *is)
{
	instances_number(is, number_of, st);
}

/* The file at the path may be another one by now: then nothing is known of the old one. */
static bool learn(struct files *f, struct sensors *s, const struct instances *is,
		  const struct line *l)
{
	const struct instance *in = NULL;
	char where[FILE_PROBE_PATH];
	struct stat st;
	int err;

	for (size_t i = 0; i < is->count && !in; i++)
		in = is_process(l, is->all[i]) ? is->all[i] : NULL;
	if (!in)
		return false;
	file_probe_path(where, in, l->path);
	if (stat(where, &st) || st.st_dev != l->dev || st.st_ino != l->ino)
		return false;
	err = sensors_file_learn(s, in->id, where);
	if (err)
		files_unprotected(f, in, l->path, err);
	return !err;
}

int files_state_learn(const struct files_state *st, struct files *f, struct sensors *s,
		      const struct instances *is)
{
	int learnt = 0;

	for (size_t i = 0; st && i < st->count; i++)
		learnt += st->lines[i].path && learn(f, s, is, &st->lines[i]);
	return learnt;
}
