// SPDX-License-Identifier: BSD-2-Clause
/* store_open.c - opens a log for writing: lock, identity, recovery, first epoch. */
#include "evidence/store_internal.h"

#include "evidence/disk.h"
#include "evidence/entry.h"
#include "evidence/envelope.h"
#include "evidence/reader.h"

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

struct opening {
	struct store *s;
	const char *path;
	struct reader r;
	struct recovery *found;
	bool others;  /* entries that are no delegations */
	bool checked; /* the checkpoint's signature */
	char *error;
};

__attribute__((format(printf, 3, 4))) static int fail(struct opening *o, int err, const char *fmt,
						      ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(o->error, STORE_ERROR_LEN, fmt, args);
	va_end(args);
	return err;
}

/* --- directory and lock --- */

static int open_dir(struct opening *o)
{
	char with_slash[4096];
	struct stat st;
	int err;

	if ((size_t)snprintf(with_slash, sizeof(with_slash), "%s/", o->path) >= sizeof(with_slash))
		return fail(o, -ENAMETOOLONG, "the path is too long");
	err = disk_make_dirs(AT_FDCWD, with_slash);
	if (err)
		return fail(o, err, "cannot create it: %s", strerror(-err));
	o->s->dir = open(o->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (o->s->dir < 0 || fstat(o->s->dir, &st))
		return fail(o, -errno, "cannot open it: %s", strerror(errno));
	o->s->path = realpath(o->path, NULL);
	if (!o->s->path)
		return fail(o, -errno, "cannot open it: %s", strerror(errno));
	if (st.st_uid != geteuid() || st.st_mode & 077)
		return fail(o, -EPERM,
			    "it must belong to the user who writes it, and nobody else may enter "
			    "it: chown and chmod 700");
	return 0;
}

/*
 * A lock of the process: a child that is forked later does not keep it, and closing any other descriptor of the file would
 * give it up, so there is none.
 */
static int lock(struct opening *o)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET}, holder = whole;

	o->s->lock = openat(o->s->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (o->s->lock < 0)
		return fail(o, -errno, "cannot write to it: %s", strerror(errno));
	if (!fcntl(o->s->lock, F_SETLK, &whole))
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return fail(o, -errno, "cannot lock it: %s", strerror(errno));
	if (fcntl(o->s->lock, F_GETLK, &holder) || holder.l_type == F_UNLCK)
		return fail(o, -EBUSY, "another process writes to it");
	return fail(o, -EBUSY, "process %d writes to it already", (int)holder.l_pid);
}

/* --- recovery --- */

static bool exists(const struct opening *o, const char *path)
{
	return !faccessat(o->s->dir, path, F_OK, 0);
}

static int open_identity(struct opening *o, const char *host)
{
	bool empty = !exists(o, "checkpoint") && !exists(o, "wal") && !exists(o, "tile");
	int err = signer_identity(&o->s->current, o->s->dir, host, empty);

	if (err == -EKEYREJECTED)
		return fail(o, err, "identity.pem and vkey are damaged or of two different keys");
	if (err == -ENOENT)
		return fail(o, err, "identity.pem or vkey is missing, though there is a log");
	if (err)
		return fail(o, err, "cannot set up its identity key: %s", strerror(-err));
	snprintf(o->s->origin, sizeof(o->s->origin), "%s", signer_key(o->s->current)->name);
	return 0;
}

/* The hashes of the tree up to the last full bundle that the checkpoint covers. */
static int load_edge(struct opening *o, uint64_t size)
{
	struct tree *t = &o->s->tree;
	int err = 0;

	t->size = size;
	for (unsigned int level = 1; level < TREE_LEVELS; level++) {
		unsigned int width = tree_width(size, level);
		uint64_t first = (size >> level * TILE_HEIGHT) - width;

		for (unsigned int i = 0; i < width && !err; i++)
			err = reader_subtree(&o->r, level * TILE_HEIGHT, first + i,
					     &t->edge[level][i]);
	}
	return err ? fail(o, err, "%s", o->r.error) : 0;
}

static int check_root(struct opening *o)
{
	const struct checkpoint *c = &o->r.checkpoint;
	struct tree_hash root;

	if (!c->size || o->s->tree.size != c->size)
		return 0;
	tree_root(&o->s->tree, &root);
	if (tree_equal(&root, &c->root))
		return 0;
	return fail(o, -EBADMSG,
		    "it does not have the entries that its checkpoint was signed for: see "
		    "'cachewarden evidence verify'");
}

static int replay(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct opening *o = ctx;
	struct note note;
	struct delegation d;
	char text[NOTE_MAX];

	int64_t time_ms = entry_time(entry, len);

	o->found->clean = entry_is(entry, len, "stop");
	o->found->last_ms = time_ms == INT64_MAX ? 0 : time_ms;
	if (at->index < o->s->tree.size)
		return 0;
	o->others |= !entry_is(entry, len, "epoch");
	if (entry_is(entry, len, "epoch") && !reader_delegation(entry, len, text, &note, &d) &&
	    d.epoch > o->s->epoch)
		o->s->epoch = d.epoch;
	if (store_reserve(o->s, 1, 2 + len))
		return fail(o, -ENOMEM, "out of memory");
	store_apply(o->s, entry, len);
	return check_root(o);
}

static int signed_by(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct opening *o = ctx;
	struct note note;
	struct delegation d;
	char text[NOTE_MAX];

	if (at->index != o->r.checkpoint.delegation ||
	    reader_delegation(entry, len, text, &note, &d) ||
	    !envelope_verify(&o->r.note, &d.key, 0))
		return fail(o, -EBADMSG,
			    "its checkpoint is not signed by the key that entry %" PRIu64
			    " delegates to",
			    o->r.checkpoint.delegation);
	o->s->epoch = d.epoch;
	o->checked = true;
	return 1;
}

static int check_checkpoint(struct opening *o)
{
	int err;

	if (!o->r.note_text)
		return 0;
	if (o->r.checkpoint.delegation >= o->r.checkpoint.size)
		return fail(o, -EBADMSG, "its checkpoint names a delegation behind its own end");
	err = reader_each(&o->r, o->r.checkpoint.delegation, signed_by, o, NULL);
	if (!err && !o->checked)
		err = fail(o, -EBADMSG, "the delegation that its checkpoint names is missing");
	return err;
}

/*
 * A log without checkpoint has delegations alone: each writer was killed before it could sign. It is signed for them before it
 * takes anything else.
 */
static int check_end(struct opening *o, const struct reader_end *end)
{
	uint64_t size = end->size;

	if (!o->r.note_text && o->others)
		return fail(o, -EBADMSG, "its checkpoint is missing");
	if (o->s->tree.size != size || size < o->r.checkpoint.size)
		return fail(o, -EBADMSG,
			    "entry %" PRIu64 ": is missing, and its checkpoint is of %" PRIu64
			    " entries",
			    o->s->tree.size, o->r.checkpoint.size);
	if (size % WAL_SEGMENT && end->records != size)
		return fail(o, -EBADMSG,
			    "the write-ahead log ends at entry %" PRIu64
			    ", the bundles at %" PRIu64,
			    end->records, size);
	return 0;
}

static int recover(struct opening *o)
{
	struct store *s = o->s;
	uint64_t size = o->r.checkpoint.size, tiled = size - tree_width(size, 0);
	struct reader_end end = {};
	int err;

	s->tiled = tiled;
	s->signed_size = size;
	o->error[0] = '\0';
	err = check_checkpoint(o) ?: load_edge(o, tiled) ?: check_root(o);
	/* one more entry, to see the last kind */
	err = err
		      ?: reader_each(&o->r, tiled && tiled == size ? tiled - 1 : tiled, replay, o,
				     &end);
	err = err ?: check_end(o, &end);
	if (err)
		return o->error[0] ? err : fail(o, err, "%s", o->r.error);
	o->found->fresh = !end.size;
	o->found->signed_size = size;
	o->found->replayed = end.size - size;
	o->found->cut = end.behind;
	s->wal_first = tiled / WAL_SEGMENT;
	err = wal_open(&s->wal, s->dir, s->tree.size / WAL_SEGMENT,
		       s->tree.size % WAL_SEGMENT ? end.offset : 0);
	return err ? fail(o, err, "wal: %s", strerror(-err)) : 0;
}

static int open_log(struct opening *o)
{
	int err = reader_open_at(&o->r, o->s->dir);

	if (err)
		err = fail(o, err, "%s", o->r.error);
	err = err ?: recover(o);
	reader_close(&o->r);
	return err;
}

static int begin_epoch(struct opening *o)
{
	int err = store_delegate(o->s, (int64_t)time(NULL) * 1000) ?: store_commit(o->s);

	return err ? fail(o, err, "cannot write to it: %s", strerror(-err)) : 0;
}

int store_open(struct store **ret, const char *path, const char *host, struct recovery *found,
	       char error[STORE_ERROR_LEN])
{
	struct store *s = calloc(1, sizeof(*s));
	struct opening o = {.s = s, .path = path, .found = found, .error = error};
	int err;

	*found = (struct recovery){};
	if (!s)
		return fail(&o, -ENOMEM, "out of memory");
	s->dir = s->lock = s->wal.fd = -1;
	err = open_dir(&o) ?: lock(&o) ?: open_identity(&o, host) ?: open_log(&o) ?: begin_epoch(&o);
	if (err)
		store_close(s);
	else
		*ret = s;
	return err;
}
