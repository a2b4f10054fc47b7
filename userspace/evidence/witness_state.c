// SPDX-License-Identifier: BSD-2-Clause
/* witness_state.c - the directory of a witness: its lock and key, which logs it knows, and what it cosigned last. */
#include "evidence/witness_internal.h"

#include "base/log.h"
#include "evidence/cosign.h"
#include "evidence/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KEYS_FILE_MAX (1u << 20)

__attribute__((format(printf, 3, 4))) static int fail(char error[WITNESS_ERROR_LEN], int err,
						      const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(error, WITNESS_ERROR_LEN, fmt, args);
	va_end(args);
	return err;
}

/* --- directory and key --- */

static int open_dir(struct witness *w, const char *path, char error[WITNESS_ERROR_LEN])
{
	char with_slash[4096];
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct stat st;
	int err;

	if ((size_t)snprintf(with_slash, sizeof(with_slash), "%s/", path) >= sizeof(with_slash))
		return fail(error, -ENAMETOOLONG, "the path is too long");
	err = disk_make_dirs(AT_FDCWD, with_slash);
	if (err)
		return fail(error, err, "cannot create it: %s", strerror(-err));
	w->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (w->dir < 0 || fstat(w->dir, &st))
		return fail(error, -errno, "cannot open it: %s", strerror(errno));
	if (st.st_uid != geteuid() || st.st_mode & 077)
		return fail(error, -EPERM,
			    "it must belong to the user who runs the witness, and nobody else may "
			    "enter it: chown and chmod 700");
	w->lock = openat(w->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->lock < 0)
		return fail(error, -errno, "cannot write to it: %s", strerror(errno));
	if (fcntl(w->lock, F_SETLK, &whole))
		return fail(error, -EBUSY, "another witness uses it");
	return 0;
}

static int open_key(struct witness *w, const char *name, char error[WITNESS_ERROR_LEN])
{
	bool empty = faccessat(w->dir, "logs", F_OK, 0) != 0;
	int err = signer_cosigner(&w->signer, w->dir, name, empty);

	if (err == -EINVAL)
		return fail(error, err,
			    "'%s' cannot be a witness's name: letters, digits and signs without "
			    "blanks and plus, like witness.example/w1",
			    name);
	if (err == -EKEYREJECTED)
		return fail(error, err,
			    "identity.pem and vkey are damaged or of two different keys");
	if (err == -ENOENT)
		return fail(error, err, "identity.pem or vkey is missing, though there is state");
	if (err)
		return fail(error, err, "cannot set up its key: %s", strerror(-err));
	if (empty)
		err = disk_make_dirs(w->dir, "logs/");
	return err ? fail(error, err, "cannot write to it: %s", strerror(-err)) : 0;
}

static uint64_t wall_clock(void)
{
	return (uint64_t)time(NULL);
}

int witness_open(struct witness **ret, const char *dir, const char *name,
		 char error[WITNESS_ERROR_LEN])
{
	struct witness *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return fail(error, -ENOMEM, "out of memory");
	w->dir = w->lock = -1;
	w->now = wall_clock;
	w->log = calloc(WITNESS_LOGS_MAX, sizeof(*w->log));
	err = w->log ? 0 : fail(error, -ENOMEM, "out of memory");
	err = err ?: open_dir(w, dir, error) ?: open_key(w, name, error);
	if (err)
		witness_close(w);
	else
		*ret = w;
	return err;
}

void witness_close(struct witness *w)
{
	if (!w)
		return;
	signer_free(w->signer);
	free(w->log);
	if (w->lock >= 0)
		close(w->lock);
	if (w->dir >= 0)
		close(w->dir);
	free(w);
}

void witness_set_clock(struct witness *w, uint64_t (*now)(void))
{
	w->now = now;
}

size_t witness_logs(const struct witness *w)
{
	return w->logs;
}

void witness_vkey(const struct witness *w, char buf[NOTE_VKEY_LEN])
{
	note_vkey_as(signer_key(w->signer), NOTE_COSIGNATURE, buf);
}

/* --- state of a log --- */

static bool exists(const struct witness *w, const char *path)
{
	return !faccessat(w->dir, path, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* That this witness cosigned it once is kept apart from what it cosigned: who loses that would begin anew. */
static void seen_path(const struct known_log *l, char buf[WITNESS_FILE_LEN])
{
	snprintf(buf, WITNESS_FILE_LEN, "seen/%s", l->file + strlen("logs/"));
}

static int mark_seen(const struct witness *w, const struct known_log *l)
{
	char path[WITNESS_FILE_LEN];

	seen_path(l, path);
	if (exists(w, path))
		return 0;
	return disk_make_dirs(w->dir, "seen/") ?: disk_replace(w->dir, path, "", 0, 0600);
}

/* Readable, and unique by the digest behind it. */
static void name_file(struct known_log *l)
{
	struct tree_hash digest;
	char readable[48];
	size_t n = 0;

	for (const char *c = l->identity.name; *c && n < sizeof(readable) - 1; c++)
		readable[n++] = (char)((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
						       (*c >= 'A' && *c <= 'Z') || *c == '-'
					       ? *c
					       : '_');
	readable[n] = '\0';
	tree_leaf(l->identity.name, strlen(l->identity.name), &digest);
	snprintf(l->file, sizeof(l->file), "logs/%s.%02x%02x%02x%02x%02x%02x%02x%02x", readable,
		 digest.byte[0], digest.byte[1], digest.byte[2], digest.byte[3], digest.byte[4],
		 digest.byte[5], digest.byte[6], digest.byte[7]);
}

/* "EPOCH VKEY" and a newline. */
static int parse_key(struct known_log *l, const char *text, size_t len)
{
	const char *space = memchr(text, ' ', len);
	size_t digits = space ? (size_t)(space - text) : 0;

	return space && text[len - 1] == '\n' && note_number_parse(text, digits, &l->epoch) &&
			       !note_vkey_parse(&l->key, space + 1, len - digits - 2)
		       ? 0
		       : -EINVAL;
}

static int load_key(const struct witness *w, struct known_log *l, char error[WITNESS_ERROR_LEN])
{
	char path[WITNESS_FILE_LEN + 8], *text;
	size_t len;
	int err;

	snprintf(path, sizeof(path), "%s.key", l->file);
	err = disk_read(w->dir, path, NOTE_MAX, &text, &len);
	if (err)
		return err == -ENOENT ? 0 : fail(error, err, "%s: %s", path, strerror(-err));
	err = parse_key(l, text, len);
	free(text);
	return err ? fail(error, err,
			  "%s: is damaged: move it away, and the log sends its keys again", path)
		   : 0;
}

/* It has cosigned nothing of that log, or it lost that. */
static int load_first(const struct witness *w, struct known_log *l, char error[WITNESS_ERROR_LEN])
{
	char path[WITNESS_FILE_LEN];

	seen_path(l, path);
	if (!exists(w, path))
		return load_key(w, l, error);
	return fail(
		error, -EBADMSG,
		"%s: is missing, and this witness did cosign that log: restore it, or begin with "
		"a new key, since a witness that forgot what it saw vouches for nothing",
		l->file);
}

int witness_load(const struct witness *w, struct known_log *l, char error[WITNESS_ERROR_LEN])
{
	struct tree empty = {};
	uint64_t time_s;
	struct note n;
	size_t len;
	char *text;
	int err;

	name_file(l);
	l->key = l->identity;
	tree_root(&empty, &l->last.root);
	err = disk_read(w->dir, l->file, NOTE_READ_MAX, &text, &len);
	if (err)
		return err == -ENOENT ? load_first(w, l, error)
				      : fail(error, err, "%s: %s", l->file, strerror(-err));
	if (note_parse(&n, text, len) || !cosign_verify(&n, signer_key(w->signer), &time_s) ||
	    checkpoint_parse_any(&l->last, n.text, n.len) ||
	    strcmp(l->last.origin, l->identity.name) != 0)
		err = fail(
			error, -EBADMSG,
			"%s: is not what this witness cosigned: restore it, since a witness that "
			"forgot what it saw vouches for nothing",
			l->file);
	free(text);
	return err ?: load_key(w, l, error);
}

int witness_store(const struct witness *w, const struct known_log *l, const char *note, size_t len)
{
	struct disk_batch b = {.dir = w->dir};
	char path[WITNESS_FILE_LEN + 8], line[NOTE_VKEY_LEN + 32], vkey[NOTE_VKEY_LEN];
	int err = 0, n;

	if (l->epoch) { /* renamed first: a key without its checkpoint does no harm */
		note_vkey(&l->key, vkey);
		n = snprintf(line, sizeof(line), "%" PRIu64 " %s\n", l->epoch, vkey);
		snprintf(path, sizeof(path), "%s.key", l->file);
		err = disk_batch_add(&b, path, line, (size_t)n, 0600);
	}
	err = err ?: disk_batch_add(&b, l->file, note, len, 0600);
	if (!err)
		return disk_batch_commit(&b) ?: mark_seen(w, l);
	disk_batch_drop(&b);
	return err;
}

void witness_keep_refused(const struct witness *w, const struct known_log *l, const char *note,
			  size_t len)
{
	char path[WITNESS_FILE_LEN + 16];
	int err;

	snprintf(path, sizeof(path), "%s.refused", l->file);
	err = disk_replace(w->dir, path, note, len, 0600);
	if (err)
		log_warn("%s: %s", path, strerror(-err));
}

/* The two notes, an empty line between them. */
void witness_keep_forked(const struct witness *w, const struct known_log *l, const char *note,
			 size_t len)
{
	char path[WITNESS_FILE_LEN + 16], *cosigned = NULL, *both = NULL;
	size_t n = 0;
	int err;

	snprintf(path, sizeof(path), "%s.forked", l->file);
	if (exists(w, path))
		return;
	err = disk_read(w->dir, l->file, NOTE_READ_MAX, &cosigned, &n);
	if (!err && asprintf(&both, "%.*s\n%.*s", (int)n, cosigned, (int)len, note) < 0)
		err = -ENOMEM;
	err = err ?: disk_replace(w->dir, path, both, strlen(both), 0600);
	if (err)
		log_warn("%s: %s", path, strerror(-err));
	free(both);
	free(cosigned);
}

/* --- which logs --- */

static const struct known_log *find(const struct witness *w, const char *name)
{
	for (size_t i = 0; i < w->logs; i++) {
		if (!strcmp(w->log[i].identity.name, name))
			return &w->log[i];
	}
	return NULL;
}

static int add_log(struct witness *w, const char *vkey, size_t len, char error[WITNESS_ERROR_LEN])
{
	struct known_log l = {};
	const struct known_log *other;
	int err;

	if (note_vkey_parse(&l.identity, vkey, len))
		return fail(error, -EINVAL,
			    "'%.*s' is no verification key of a log: NAME+ID+BASE64, as in the "
			    "file vkey of its directory",
			    (int)(len < 80 ? len : 80), vkey);
	other = find(w, l.identity.name);
	if (other && !memcmp(other->identity.public, l.identity.public, NOTE_KEY_LEN))
		return 0;
	if (other)
		return fail(error, -EINVAL, "two different keys of one log, %s", l.identity.name);
	if (w->logs == WITNESS_LOGS_MAX)
		return fail(error, -E2BIG, "more than %d logs", WITNESS_LOGS_MAX);
	err = witness_load(w, &l, error);
	if (!err)
		w->log[w->logs++] = l;
	return err;
}

static int know_lines(struct witness *w, const char *text, char error[WITNESS_ERROR_LEN])
{
	int err = 0;

	for (size_t n; *text && !err; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		if (n && text[0] != '#')
			err = add_log(w, text, n, error);
	}
	return err;
}

static int know_file(struct witness *w, int dir, const char *path, char error[WITNESS_ERROR_LEN])
{
	char *text, why[WITNESS_ERROR_LEN] = "";
	size_t len;
	int err = disk_read(dir, path, KEYS_FILE_MAX, &text, &len);

	if (err)
		return fail(error, err, "%s: %s; expected verification keys of logs, one in a line",
			    path, err == -EINVAL ? "is no file" : strerror(-err));
	err = know_lines(w, text, why);
	free(text);
	return err ? fail(error, err, "%.100s: %.400s", path, why) : 0;
}

int witness_know(struct witness *w, const char *path, char error[WITNESS_ERROR_LEN])
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	const struct dirent *e;
	DIR *d;

	if (dir < 0)
		return know_file(w, AT_FDCWD, path, error);
	d = fdopendir(dir);
	if (!d) {
		close(dir);
		return fail(error, -ENOMEM, "out of memory");
	}
	while (!err && (e = readdir(d))) {
		char said[WITNESS_ERROR_LEN];

		if (e->d_name[0] == '.')
			continue;
		err = know_file(w, dir, e->d_name, said);
		if (err)
			fail(error, err, "%.100s/%.400s", path, said);
	}
	closedir(d);
	return err;
}
