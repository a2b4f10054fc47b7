// SPDX-License-Identifier: BSD-2-Clause
/* store_commit.c - see store.h; opening and recovery are in store_open.c. */
#include "evidence/store_internal.h"

#include "evidence/disk.h"
#include "evidence/entry.h"
#include "evidence/envelope.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PENDING_MAX (4u << 20) /* bytes that wait for the disk, and go there in one commit */
#define TAIL_MAX (8u << 20) /* bytes that wait for their tiles, before the pending ones do, too */
#define BUFFER_KEEP (8u << 20) /* bytes that a buffer keeps when fewer are in it */

/* --- buffers --- */

static int buffer_reserve(struct store_buffer *b, size_t more)
{
	size_t room = b->len + more;
	uint8_t *bytes;

	if (room <= b->room)
		return 0;
	room += room / 2;
	bytes = realloc(b->bytes, room);
	if (!bytes)
		return -ENOMEM;
	b->bytes = bytes;
	b->room = room;
	return 0;
}

static void buffer_drop(struct store_buffer *b, size_t n)
{
	uint8_t *less;

	if (n)
		memmove(b->bytes, b->bytes + n, b->len - n);
	b->len -= n;
	if (b->room <= BUFFER_KEEP || b->len > BUFFER_KEEP)
		return;
	less = realloc(b->bytes, BUFFER_KEEP);
	if (!less)
		return;
	b->bytes = less;
	b->room = BUFFER_KEEP;
}

int store_append(struct store *s, const char *entry, size_t len)
{
	size_t n = FRAME_HEAD + len;

	if (s->pending.len + n > PENDING_MAX || s->tail.len > TAIL_MAX)
		return -ENOBUFS;
	if (!len || len > ENTRY_MAX)
		return -EINVAL;
	if (buffer_reserve(&s->pending, n))
		return -ENOMEM;
	frame_put(s->pending.bytes + s->pending.len, entry, len);
	s->pending.len += n;
	s->pending_count++;
	return 0;
}

struct store_mark store_mark(const struct store *s)
{
	return (struct store_mark){.len = s->pending.len, .count = s->pending_count};
}

void store_rewind(struct store *s, struct store_mark mark)
{
	s->pending.len = mark.len;
	s->pending_count = mark.count;
}

/* --- entries that are on the disk become part of the tree --- */

static void add_tile(void *ctx, unsigned int level, uint64_t n,
		     const struct tree_hash hash[TILE_WIDTH])
{
	struct store *s = ctx;
	struct full_tile *t = &s->full[s->fulls++];

	t->level = level;
	t->n = n;
	memcpy(t->hash, hash, sizeof(t->hash));
}

int store_reserve(struct store *s, size_t count, size_t bytes)
{
	size_t tiles = s->fulls + count / TILE_WIDTH + TREE_LEVELS + 1;

	if (tiles > s->full_room) {
		struct full_tile *full = reallocarray(s->full, tiles, sizeof(*full));

		if (!full)
			return -ENOMEM;
		s->full = full;
		s->full_room = tiles;
	}
	return buffer_reserve(&s->tail, bytes);
}

/* The tail has the form of a bundle: each entry behind its length, big-endian. */
void store_apply(struct store *s, const char *entry, size_t len)
{
	struct store_buffer *t = &s->tail;
	struct tree_hash leaf;

	t->bytes[t->len++] = (uint8_t)(len >> 8);
	t->bytes[t->len++] = (uint8_t)len;
	memcpy(t->bytes + t->len, entry, len);
	t->len += len;
	tree_leaf(entry, len, &leaf);
	tree_append(&s->tree, &leaf, add_tile, s);
	if (s->next && s->tree.size == s->next_index + 1) {
		signer_free(s->current);
		s->current = s->next;
		s->next = NULL;
		s->delegation = s->next_index;
		s->epoch++;
	}
}

/* Of the waiting entries from *at on as many as are of one segment. */
static int write_segment(struct store *s, size_t *at)
{
	uint64_t segment = s->tree.size / WAL_SEGMENT;
	uint64_t room = (segment + 1) * WAL_SEGMENT - s->tree.size, n = 0;
	size_t end = *at, len;
	int err;

	for (; n < room && end < s->pending.len; n++)
		end += frame_len(s->pending.bytes + end);
	err = store_reserve(s, n, end - *at)
		      ?: wal_append(&s->wal, segment, s->pending.bytes + *at, end - *at);
	if (err)
		return err;
	for (; *at < end; *at += len) {
		len = frame_len(s->pending.bytes + *at);
		store_apply(s, (const char *)s->pending.bytes + *at + FRAME_HEAD, len - FRAME_HEAD);
	}
	s->pending_count -= n;
	return 0;
}

static int write_pending(struct store *s)
{
	size_t at = 0;
	int err = 0;

	while (s->pending_count && !err)
		err = write_segment(s, &at);
	buffer_drop(&s->pending, at);
	return err;
}

/* --- tiles --- */

/* Where the n entries end that begin at that place in the tail. */
static size_t tail_end(const struct store *s, size_t at, unsigned int n)
{
	while (n--)
		at += 2 + ((size_t)s->tail.bytes[at] << 8 | s->tail.bytes[at + 1]);
	return at;
}

static int add_file(struct disk_batch *b, int level, uint64_t n, unsigned int width,
		    const void *data, size_t len)
{
	char path[TILE_PATH_LEN];

	tile_path(level, n, width, path);
	return disk_batch_add(b, path, data, len, 0600);
}

/* How far the waiting tiles were written: tiles, and the bytes of the tail that their bundles took. */
struct tiles_done {
	size_t tiles, tail;
};

/* As many of the waiting tiles as go into a batch, each of level 0 with its bundle. */
static int write_some_tiles(struct store *s, struct tiles_done *ret)
{
	struct disk_batch b = {.dir = s->dir};
	struct tiles_done done = *ret;
	unsigned int bundles = 0;
	int err = 0;

	for (; done.tiles < s->fulls && b.count + 2 <= DISK_BATCH_MAX && !err; done.tiles++) {
		const struct full_tile *t = &s->full[done.tiles];

		if (!t->level) {
			size_t end = tail_end(s, done.tail, TILE_WIDTH);

			err = add_file(&b, TILE_ENTRIES, t->n, TILE_WIDTH,
				       s->tail.bytes + done.tail, end - done.tail);
			done.tail = end;
			bundles++;
		}
		err = err
			      ?: add_file(&b, (int)t->level, t->n, TILE_WIDTH, t->hash,
					  sizeof(t->hash));
	}
	if (err) {
		disk_batch_drop(&b);
		return err;
	}
	err = disk_batch_commit(&b);
	if (err)
		return err;
	s->tiled += (uint64_t)bundles * TILE_WIDTH;
	*ret = done;
	return 0;
}

static int write_full_tiles(struct store *s)
{
	struct tiles_done done = {};
	int err = 0;

	if (!s->fulls)
		return 0;
	while (done.tiles < s->fulls && !err)
		err = write_some_tiles(s, &done);
	buffer_drop(&s->tail, done.tail);
	s->fulls -= done.tiles;
	memmove(s->full, s->full + done.tiles, s->fulls * sizeof(*s->full));
	return err;
}

/* --- checkpoint --- */

void store_head(const struct store *s, struct checkpoint *ret)
{
	*ret = (struct checkpoint){.size = s->tree.size, .delegation = s->delegation};
	snprintf(ret->origin, sizeof(ret->origin), "%s", store_origin(s));
	tree_root(&s->tree, &ret->root);
}

static int write_checkpoint(struct store *s)
{
	struct checkpoint c;
	char text[NOTE_MAX], note[NOTE_MAX];
	int n, err;

	if (s->signed_size == s->tree.size)
		return 0;
	store_head(s, &c);
	checkpoint_text(&c, text);
	n = note_sign(text, signer_key(s->current), signer_sign, s->current, note);
	if (n > 0)
		n = envelope_add(note, signer_key(s->current), signer_sign, s->current);
	if (n < 0)
		return n;
	err = disk_replace(s->dir, "checkpoint", note, (size_t)n, 0600);
	if (!err)
		s->signed_size = s->tree.size;
	return err;
}

int store_commit(struct store *s)
{
	int err = write_pending(s) ?: write_full_tiles(s) ?: write_checkpoint(s);

	if (!err)
		s->wal_first = wal_remove(s->dir, s->wal_first, s->tiled / WAL_SEGMENT);
	return err;
}

/* --- epochs --- */

static int append_note(void *ctx, const char *entry, size_t len)
{
	return store_append(ctx, entry, len);
}

int store_delegate(struct store *s, int64_t now_ms)
{
	struct delegation d = {.epoch = s->epoch + 1, .size = s->tree.size};
	char text[NOTE_MAX], note[NOTE_MAX];
	struct jsonw json = {};
	const char *record;
	size_t len;
	int n, err = signer_new(&s->next, store_origin(s));

	if (err)
		return err;
	snprintf(d.origin, sizeof(d.origin), "%s", store_origin(s));
	d.key = *signer_key(s->next);
	tree_root(&s->tree, &d.root);
	delegation_text(&d, text);
	n = note_sign(text, signer_key(s->current), signer_sign, s->current, note);
	jsonw_object(&json, NULL);
	jsonw_string(&json, "note", note);
	jsonw_end_object(&json);
	record = n < 0 ? NULL : jsonw_done(&json, &len);
	s->next_index = s->tree.size;
	err = n < 0	? n
	      : !record ? -ENOMEM
			: entry_make("epoch", now_ms, record, len, append_note, s);
	jsonw_free(&json);
	if (err) {
		signer_free(s->next);
		s->next = NULL;
	}
	return err;
}

int store_rotate(struct store *s, int64_t now_ms)
{
	int err = store_commit(s);

	if (!err && !s->next)
		err = store_delegate(s, now_ms);
	return err ?: store_commit(s);
}

/* --- end --- */

int store_finish(struct store *s)
{
	struct disk_batch b = {.dir = s->dir};
	int err = store_commit(s);
	unsigned int width = tree_width(s->tree.size, 0);

	if (!err && width)
		err = add_file(&b, TILE_ENTRIES, s->tree.size / TILE_WIDTH, width, s->tail.bytes,
			       s->tail.len);
	for (unsigned int level = 0; level + 1 < TREE_LEVELS && !err; level++) {
		width = tree_width(s->tree.size, level);
		if (width)
			err = add_file(&b, (int)level, s->tree.size >> (level + 1) * TILE_HEIGHT,
				       width, s->tree.edge[level],
				       width * sizeof(struct tree_hash));
	}
	if (!err)
		return disk_batch_commit(&b);
	disk_batch_drop(&b);
	return err;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	signer_free(s->current);
	signer_free(s->next);
	wal_close(&s->wal);
	free(s->pending.bytes);
	free(s->tail.bytes);
	free(s->full);
	free(s->path);
	if (s->lock >= 0)
		close(s->lock);
	if (s->dir >= 0)
		close(s->dir);
	free(s);
}

bool store_in_place(const struct store *s)
{
	struct stat there, here;

	return !stat(s->path, &there) && !fstat(s->dir, &here) && there.st_dev == here.st_dev &&
	       there.st_ino == here.st_ino && wal_in_place(&s->wal);
}

uint64_t store_signed(const struct store *s)
{
	return s->signed_size;
}

uint64_t store_pending(const struct store *s)
{
	return s->pending_count;
}

const char *store_origin(const struct store *s)
{
	return s->origin;
}

int store_dir(const struct store *s)
{
	return s->dir;
}

uint64_t store_next(const struct store *s)
{
	return s->tree.size + s->pending_count;
}

const struct note_key *store_key(const struct store *s)
{
	return signer_key(s->current);
}

int store_sign(void *ctx, const void *text, size_t len, uint8_t sig[NOTE_SIG_LEN])
{
	struct store *s = ctx;

	return signer_sign(s->current, text, len, sig);
}
