// SPDX-License-Identifier: BSD-2-Clause
/* store_commit.c - see store.h; opening and recovery are in store_open.c. */
#include "evidence/store_internal.h"

#include "evidence/disk.h"
#include "evidence/entry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PENDING_MAX (16u << 20) /* bytes that wait for the disk */
#define TAIL_MAX (64u << 20)	/* bytes that wait for their tiles */

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
	memmove(b->bytes, b->bytes + n, b->len - n);
	b->len -= n;
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

/* The first of the waiting entries, as many as are of one segment. */
static int write_segment(struct store *s)
{
	uint64_t segment = s->tree.size / WAL_SEGMENT;
	uint64_t room = (segment + 1) * WAL_SEGMENT - s->tree.size, n = 0;
	size_t end = 0, len;
	const char *entry;
	int err;

	while (n < room &&
	       frame_next(s->pending.bytes, s->pending.len, &end, &entry, &len) == FRAME_FINE)
		n++;
	err = store_reserve(s, n, end) ?: wal_append(&s->wal, segment, s->pending.bytes, end);
	if (err)
		return err;
	for (size_t at = 0; at < end;) {
		frame_next(s->pending.bytes, end, &at, &entry, &len);
		store_apply(s, entry, len);
	}
	buffer_drop(&s->pending, end);
	s->pending_count -= n;
	return 0;
}

static int write_pending(struct store *s)
{
	int err = 0;

	while (s->pending_count && !err)
		err = write_segment(s);
	return err;
}

/* --- tiles --- */

/* Length of the first n entries of the tail. */
static size_t tail_length(const struct store *s, unsigned int n)
{
	size_t at = 0;

	while (n--)
		at += 2 + ((size_t)s->tail.bytes[at] << 8 | s->tail.bytes[at + 1]);
	return at;
}

static int write_tile(struct store *s, int level, uint64_t n, unsigned int width, const void *data,
		      size_t len)
{
	char path[TILE_PATH_LEN];

	tile_path(level, n, width, path);
	return disk_replace(s->dir, path, data, len, 0600);
}

static int write_full_tile(struct store *s, const struct full_tile *t)
{
	size_t bundle = t->level ? 0 : tail_length(s, TILE_WIDTH);
	int err = 0;

	if (!t->level)
		err = write_tile(s, TILE_ENTRIES, t->n, TILE_WIDTH, s->tail.bytes, bundle);
	err = err ?: write_tile(s, (int)t->level, t->n, TILE_WIDTH, t->hash, sizeof(t->hash));
	if (!err && !t->level) {
		buffer_drop(&s->tail, bundle);
		s->tiled += TILE_WIDTH;
	}
	return err;
}

static int write_full_tiles(struct store *s)
{
	size_t done = 0;
	int err = 0;

	while (done < s->fulls && !err) {
		err = write_full_tile(s, &s->full[done]);
		done += !err;
	}
	s->fulls -= done;
	memmove(s->full, s->full + done, s->fulls * sizeof(*s->full));
	return err;
}

/* --- checkpoint --- */

static int write_checkpoint(struct store *s)
{
	struct checkpoint c = {.size = s->tree.size, .delegation = s->delegation};
	char text[NOTE_MAX], note[NOTE_MAX];
	int n, err;

	if (s->signed_size == s->tree.size)
		return 0;
	strcpy(c.origin, store_origin(s));
	tree_root(&s->tree, &c.root);
	checkpoint_text(&c, text);
	n = note_sign(text, signer_key(s->current), signer_sign, s->current, note);
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
	strcpy(d.origin, store_origin(s));
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
	int err = store_commit(s);
	unsigned int width = tree_width(s->tree.size, 0);

	if (!err && width)
		err = write_tile(s, TILE_ENTRIES, s->tree.size / TILE_WIDTH, width, s->tail.bytes,
				 s->tail.len);
	for (unsigned int level = 0; level < TREE_LEVELS && !err; level++) {
		uint64_t n =
			level + 1 < TREE_LEVELS ? s->tree.size >> (level + 1) * TILE_HEIGHT : 0;

		width = tree_width(s->tree.size, level);
		if (width)
			err = write_tile(s, (int)level, n, width, s->tree.edge[level],
					 width * sizeof(struct tree_hash));
	}
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
	if (s->lock >= 0)
		close(s->lock);
	if (s->dir >= 0)
		close(s->dir);
	free(s);
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
