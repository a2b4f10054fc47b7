// SPDX-License-Identifier: BSD-2-Clause
/* reader.c - see reader.h. */
#include "evidence/reader.h"

#include "evidence/disk.h"
#include "evidence/entry.h"
#include "evidence/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUNDLE_MAX (TILE_WIDTH * (2 + (size_t)ENTRY_MAX))
#define SIZE_BITS 48 /* a tree of seven levels of tiles */
#define SEGMENT_MAX (WAL_SEGMENT * (FRAME_HEAD + (size_t)ENTRY_MAX))

__attribute__((format(printf, 3, 4))) static int fail(struct reader *r, int err, const char *fmt,
						      ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->error, sizeof(r->error), fmt, args);
	va_end(args);
	return err;
}

/* --- key and checkpoint --- */

static int read_vkey(struct reader *r)
{
	char *text = NULL;
	size_t len = 0;
	int err = disk_read(r->dir, "vkey", NOTE_MAX, &text, &len);

	if (err == -ENOENT)
		return fail(r, err, "vkey is missing: this is no evidence log, or it is damaged");
	if (err)
		return fail(r, err, "vkey: %s", strerror(-err));
	if (len && text[len - 1] == '\n')
		err = note_vkey_parse(&r->identity, text, len - 1);
	else
		err = -EINVAL;
	free(text);
	return err ? fail(r, -EBADMSG, "vkey: is no verification key of a log") : 0;
}

static int read_checkpoint(struct reader *r)
{
	size_t len = 0;
	int err = disk_read(r->dir, "checkpoint", NOTE_MAX, &r->note_text, &len);

	if (err == -ENOENT)
		return 0;
	if (err)
		return fail(r, err, "checkpoint: %s", strerror(-err));
	if (note_parse(&r->note, r->note_text, len))
		return fail(r, -EBADMSG, "checkpoint: is no signed note");
	if (checkpoint_parse(&r->checkpoint, r->note.text, r->note.len))
		return fail(r, -EBADMSG, "checkpoint: its text is no checkpoint of this program");
	if (r->checkpoint.size >> SIZE_BITS)
		return fail(r, -EBADMSG, "checkpoint: claims more entries than a log can have");
	if (strcmp(r->checkpoint.origin, r->identity.name) != 0)
		return fail(r, -EBADMSG, "checkpoint: is of another log, %s", r->checkpoint.origin);
	return 0;
}

static int read_pruned(struct reader *r)
{
	char *bytes = NULL;
	size_t len = 0;
	int err = disk_read(r->dir, PRUNED_PATH, PRUNED_MAX, &bytes, &len);

	if (err)
		return err == -ENOENT ? 0 : fail(r, err, PRUNED_PATH ": %s", strerror(-err));
	if (!pruned_parse(&r->pruned, bytes, len))
		return 0;
	free(bytes);
	return fail(r, -EBADMSG, PRUNED_PATH ": is damaged");
}

/* The file is not signed: it may claim only what a writer can have removed. */
static int check_pruned(struct reader *r)
{
	uint64_t before = r->pruned.before, size = r->checkpoint.size;

	if (!before ||
	    (!(before % TILE_WIDTH) && size >= PRUNE_KEEP_MIN && before <= size - PRUNE_KEEP_MIN))
		return 0;
	return fail(r, -EBADMSG,
		    PRUNED_PATH ": no writer removes the entries before %" PRIu64 " of %" PRIu64,
		    before, size);
}

/* A writer signs before it removes: read in the other order, the checkpoint could be older than what was removed. */
static int read_heads(struct reader *r)
{
	return read_vkey(r) ?: read_pruned(r) ?: read_checkpoint(r) ?: check_pruned(r);
}

int reader_open_at(struct reader *r, int dir)
{
	*r = (struct reader){.dir = dir};
	return read_heads(r);
}

static int fail_open(struct reader *r, int err)
{
	*r = (struct reader){.dir = -1};
	if (err == -EACCES || err == -EPERM)
		return fail(r, err, "%s: an evidence log can be read by root alone",
			    strerror(-err));
	if (err != -ENOENT && err != -ENOTDIR)
		return fail(r, err, "%s", strerror(-err));
	return fail(r, err,
		    "%s; expected the directory of an evidence log, which 'cachewarden run "
		    "--evidence DIR' or evidence.directory of the policy names",
		    strerror(-err));
}

int reader_open(struct reader *r, const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return fail_open(r, -errno);
	*r = (struct reader){.dir = dir, .owned = true};
	return read_heads(r);
}

void reader_close(struct reader *r)
{
	if (r->owned)
		close(r->dir);
	r->owned = false;
	free(r->note_text);
	r->note_text = NULL;
	free(r->tail);
	r->tail = NULL;
	pruned_free(&r->pruned);
}

/* --- entries --- */

struct walk {
	struct reader *r;
	uint64_t index; /* of the next entry to hand out */
	reader_fn fn;
	void *ctx;
	struct reader_end end;
	bool stop;
};

static int hand_out(struct walk *w, const char *path, uint64_t offset, const char *entry,
		    size_t len)
{
	int err = w->fn(w->ctx, &(struct entry_place){w->index, path, offset}, entry, len);

	w->index++;
	w->stop = err == 1;
	return err < 0 ? err : 0;
}

static int damaged(struct walk *w, const char *path, uint64_t offset, const char *what)
{
	return fail(w->r, -EBADMSG, "entry %" PRIu64 ": %s, byte %" PRIu64 ": %s", w->index, path,
		    offset, what);
}

/* The entry behind *at in a bundle. False: its length is wrong. */
static bool bundle_next(const char *bytes, size_t size, size_t *at, const char **entry, size_t *len)
{
	const uint8_t *head = (const uint8_t *)bytes + *at;

	*len = size - *at < 2 ? 0 : (size_t)head[0] << 8 | head[1];
	*entry = bytes + *at + 2;
	if (!*len || *len > ENTRY_MAX || size - *at - 2 < *len)
		return false;
	*at += 2 + *len;
	return true;
}

/* One bundle, from the next entry on. Returns -ENOENT, silently, if there is none. */
static int walk_bundle(struct walk *w)
{
	uint64_t first = w->index - w->index % TILE_WIDTH;
	char path[TILE_PATH_LEN], *bytes;
	size_t size, at = 0;
	int err;

	tile_path(TILE_ENTRIES, first / TILE_WIDTH, TILE_WIDTH, path);
	err = disk_read(w->r->dir, path, BUNDLE_MAX, &bytes, &size);
	if (err == -ENOENT)
		return err;
	if (err)
		return fail(w->r, err, "%s: %s", path, strerror(-err));
	for (uint64_t i = first; i < first + TILE_WIDTH && !err && !w->stop; i++) {
		size_t before = at, len;
		const char *entry;

		if (!bundle_next(bytes, size, &at, &entry, &len))
			err = damaged(w, path, at, "the entry's length is wrong");
		else if (i == w->index)
			err = hand_out(w, path, before, entry, len);
	}
	if (!err && !w->stop && at != size)
		err = fail(w->r, -EBADMSG, "%s, byte %zu: there is more than %d entries", path, at,
			   TILE_WIDTH);
	free(bytes);
	return err;
}

/* One segment, from the next entry on. Returns -ENOENT, silently, if there is none. */
static int walk_segment(struct walk *w)
{
	uint64_t segment = w->index / WAL_SEGMENT, first = segment * WAL_SEGMENT, i;
	enum frame_error e = FRAME_FINE;
	char path[WAL_PATH_LEN], *bytes;
	size_t size, at = 0, before, len;
	const char *entry;
	int err;

	wal_path(segment, path);
	err = disk_read(w->r->dir, path, SEGMENT_MAX, &bytes, &size);
	if (err == -ENOENT)
		return err;
	if (err)
		return fail(w->r, err, "%s: %s", path, strerror(-err));
	for (i = first; i < first + WAL_SEGMENT && !err && !w->stop; i++) {
		before = at;
		e = frame_next((const uint8_t *)bytes, size, &at, &entry, &len);
		if (e != FRAME_FINE)
			break;
		if (i == w->index)
			err = hand_out(w, path, before, entry, len);
	}
	w->end.offset = at;
	w->end.records = i;
	w->end.behind = size - at;
	if (!err && e != FRAME_FINE) {
		w->stop = true;
		if (w->index < w->r->checkpoint.size)
			err = damaged(w, path, at, frame_error_text(e));
	}
	free(bytes);
	return err;
}

/* What is left of entries that were pruned. */
static int walk_pruned(struct walk *w)
{
	const struct pruned *p = &w->r->pruned;
	struct pruned_entry e;
	size_t at = 0;
	int err = 0;

	while (!err && !w->stop && pruned_next(p, &at, &e)) {
		if (e.index < w->index)
			continue;
		w->index = e.index;
		err = hand_out(w, PRUNED_PATH, e.offset, e.entry, e.len);
	}
	if (!w->stop && w->index < p->before)
		w->index = p->before;
	return err;
}

static int walk_next(struct walk *w)
{
	int err = walk_bundle(w);

	if (err != -ENOENT)
		return err;
	err = walk_segment(w);
	if (err == -ENOENT) /* its entries may just have gone into bundles */
		err = walk_bundle(w);
	if (err != -ENOENT)
		return err;
	w->stop = true;
	if (w->index >= w->r->checkpoint.size)
		return 0;
	return fail(w->r, -EBADMSG,
		    "entry %" PRIu64 ": is missing: neither tile/entries nor wal has it, and the "
		    "checkpoint is of %" PRIu64 " entries",
		    w->index, w->r->checkpoint.size);
}

int reader_each(struct reader *r, uint64_t from, reader_fn fn, void *ctx, struct reader_end *ret)
{
	struct walk w = {.r = r, .index = from, .fn = fn, .ctx = ctx};
	int err = from < r->pruned.before ? walk_pruned(&w) : 0;

	while (!err && !w.stop)
		err = walk_next(&w);
	w.end.size = w.index;
	if (ret)
		*ret = w.end;
	return err;
}

/* --- hashes --- */

int reader_tile(struct reader *r, unsigned int level, uint64_t n, unsigned int width,
		struct tree_hash *ret)
{
	size_t want = width * sizeof(*ret), size;
	char path[TILE_PATH_LEN], *bytes;
	int err;

	tile_path((int)level, n, width, path);
	err = disk_read(r->dir, path, want, &bytes, &size);
	if (err == -EFBIG)
		return fail(r, -EBADMSG, "%s: is longer than %zu bytes", path, want);
	if (err)
		return fail(r, err, "%s: %s", path, strerror(-err));
	if (size == want)
		memcpy(ret, bytes, want);
	else
		err = fail(r, -EBADMSG, "%s: has %zu bytes, not %zu", path, size, want);
	free(bytes);
	return err;
}

int reader_bundle(struct reader *r, uint64_t n, unsigned int width, struct tree_hash *ret)
{
	char path[TILE_PATH_LEN], *bytes;
	size_t size, at = 0, len;
	unsigned int i = 0;
	const char *entry;
	int err;

	tile_path(TILE_ENTRIES, n, width, path);
	err = disk_read(r->dir, path, BUNDLE_MAX, &bytes, &size);
	if (err)
		return fail(r, err, "%s: %s", path, strerror(-err));
	for (; i < width && bundle_next(bytes, size, &at, &entry, &len); i++)
		tree_leaf(entry, len, &ret[i]);
	if (i < width || at != size)
		err = fail(r, -EBADMSG, "%s, byte %zu: there are not %u entries", path, at, width);
	free(bytes);
	return err;
}

static int add_leaf(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct reader *r = ctx;

	if (at->index >= r->checkpoint.size)
		return 1;
	tree_leaf(entry, len, &r->tail[r->tail_len++]);
	return 0;
}

int reader_load_tail(struct reader *r)
{
	uint64_t from = r->checkpoint.size - tree_width(r->checkpoint.size, 0);

	r->tail = calloc(TILE_WIDTH, sizeof(*r->tail));
	if (!r->tail)
		return fail(r, -ENOMEM, "out of memory");
	return reader_each(r, from, add_leaf, r, NULL);
}

int reader_subtree(void *ctx, unsigned int height, uint64_t index, struct tree_hash *ret)
{
	unsigned int level = height / TILE_HEIGHT, above = height % TILE_HEIGHT;
	uint64_t first = index << above, n = first / TILE_WIDTH;
	struct tree_hash tile[TILE_WIDTH], left, right;
	struct reader *r = ctx;
	int err;

	if (n < r->checkpoint.size >> ((level + 1) * TILE_HEIGHT)) {
		err = reader_tile(r, level, n, TILE_WIDTH, tile);
		if (!err)
			tree_perfect(tile + first % TILE_WIDTH, 1u << above, ret);
		return err;
	}
	if (above) {
		err = reader_subtree(r, height - 1, 2 * index, &left)
			      ?: reader_subtree(r, height - 1, 2 * index + 1, &right);
		if (!err)
			tree_node(&left, &right, ret);
		return err;
	}
	if (level) { /* its tile is not full yet: it is the root of a tile one level down */
		err = reader_tile(r, level - 1, index, TILE_WIDTH, tile);
		if (!err)
			tree_perfect(tile, TILE_WIDTH, ret);
		return err;
	}
	if (first % TILE_WIDTH >= r->tail_len)
		return fail(r, -ERANGE, "leaf %" PRIu64 " is behind the checkpoint", first);
	*ret = r->tail[first % TILE_WIDTH];
	return 0;
}

int reader_delegation(const char *entry, size_t len, char buf[NOTE_MAX], struct note *note,
		      struct delegation *ret)
{
	size_t n = entry_text(entry, len, "note", buf, NOTE_MAX);

	return n && !note_parse(note, buf, n) && !delegation_parse(ret, note->text, note->len)
		       ? 0
		       : -EBADMSG;
}
