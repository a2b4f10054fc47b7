// SPDX-License-Identifier: BSD-2-Clause
/* verify.c - see verify.h. */
#include "evidence/verify.h"

#include "evidence/disk.h"
#include "evidence/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
	struct reader *r;
	struct verified *ret;
	struct tree tree;
	struct note_key key; /* that signs checkpoints at this point of the log */
	uint64_t delegation; /* the entry it is from */
	uint64_t epoch;
	uint64_t proved; /* entries up to here are those that a delegation was signed for */
	int tile_err;	 /* of the tile that the last entry filled */
	/* the earlier checkpoint */
	char *note_text;
	struct note note;
	struct checkpoint earlier;
};

__attribute__((format(printf, 3, 4))) static int fail(struct check *c, int err, const char *fmt,
						      ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->r->error, sizeof(c->r->error), fmt, args);
	va_end(args);
	return err;
}

/* --- tiles --- */

/* The first of these entries whose hash is not the one in its tile; n: none. */
static unsigned int differs(const struct tree_hash *computed, const struct tree_hash *tile,
			    unsigned int n)
{
	unsigned int i = 0;

	while (i < n && tree_equal(&computed[i], &tile[i]))
		i++;
	return i;
}

static int compare_tile(struct check *c, unsigned int level, uint64_t n,
			const struct tree_hash hash[TILE_WIDTH])
{
	struct tree_hash tile[TILE_WIDTH];
	char path[TILE_PATH_LEN];
	unsigned int i;
	uint64_t first, last;
	int err = reader_tile(c->r, level, n, TILE_WIDTH, tile);

	/* tiles that no checkpoint covers may not be there yet */
	if (err == -ENOENT && (n + 1) << ((level + 1) * TILE_HEIGHT) > c->r->checkpoint.size)
		return 0;
	tile_path((int)level, n, TILE_WIDTH, path);
	if (err == -ENOENT)
		return fail(c, -EBADMSG, "%s: is missing", path);
	if (err)
		return err;
	i = differs(hash, tile, TILE_WIDTH);
	if (i == TILE_WIDTH)
		return 0;
	first = (n * TILE_WIDTH + i) << (level * TILE_HEIGHT);
	last = ((n * TILE_WIDTH + i + 1) << (level * TILE_HEIGHT)) - 1;
	if (!level)
		return fail(c, -EBADMSG,
			    "entry %" PRIu64 ": is not the one whose hash is in %s, byte %zu",
			    first, path, i * sizeof(struct tree_hash));
	return fail(c, -EBADMSG,
		    "entries %" PRIu64 " to %" PRIu64 ": their hash is not the one in %s, byte %zu",
		    first, last, path, i * sizeof(struct tree_hash));
}

/*
 * The copy of the last bundle, and the last tile of each level, as far as the checkpoint goes. The writer leaves them when it
 * ends.
 */
static int compare_part(struct check *c, int level, unsigned int width, uint64_t n)
{
	const struct tree_hash *computed = c->tree.edge[level < 0 ? 0 : level];
	struct tree_hash part[TILE_WIDTH];
	char path[TILE_PATH_LEN];
	unsigned int i;
	int err = level < 0 ? reader_bundle(c->r, n, width, part)
			    : reader_tile(c->r, (unsigned int)level, n, width, part);

	if (err)
		return err == -ENOENT ? 0 : err;
	i = differs(computed, part, width);
	if (i == width)
		return 0;
	tile_path(level, n, width, path);
	return fail(c, -EBADMSG, "%s: number %u in it is not what the log has", path, i);
}

static int compare_parts(struct check *c)
{
	int err = 0;

	for (int level = TILE_ENTRIES; level + 1 < TREE_LEVELS && !err; level++) {
		unsigned int above = level < 0 ? 0 : (unsigned int)level;
		unsigned int width = tree_width(c->tree.size, above);

		if (width)
			err = compare_part(c, level, width,
					   c->tree.size >> (above + 1) * TILE_HEIGHT);
	}
	return err;
}

static void on_tile(void *ctx, unsigned int level, uint64_t n,
		    const struct tree_hash hash[TILE_WIDTH])
{
	struct check *c = ctx;

	c->tile_err = c->tile_err ?: compare_tile(c, level, n, hash);
}

/*
 * Something is wrong at or before the next entry. If the tile of its bundle is there and an earlier entry of it does not fit,
 * that one is what is wrong.
 */
static int blame(struct check *c, int err)
{
	unsigned int width = tree_width(c->tree.size, 0);
	uint64_t n = c->tree.size / TILE_WIDTH;
	char said[READER_ERROR_LEN], path[TILE_PATH_LEN];
	struct tree_hash tile[TILE_WIDTH];
	unsigned int i;

	if (err != -EBADMSG)
		return err;
	memcpy(said, c->r->error, sizeof(said));
	i = reader_tile(c->r, 0, n, TILE_WIDTH, tile) ? width
						      : differs(c->tree.edge[0], tile, width);
	if (i == width) {
		memcpy(c->r->error, said, sizeof(said));
		return err;
	}
	tile_path(0, n, TILE_WIDTH, path);
	return fail(c, err, "entry %" PRIu64 ": is not the one whose hash is in %s, byte %zu",
		    n * TILE_WIDTH + i, path, i * sizeof(struct tree_hash));
}

/* --- signatures --- */

static int check_delegation(struct check *c, uint64_t index, const char *entry, size_t len)
{
	struct delegation d;
	struct tree_hash root;
	struct note note;
	char text[NOTE_MAX];
	bool by_identity;

	if (reader_delegation(entry, len, text, &note, &d))
		return fail(c, -EBADMSG, "entry %" PRIu64 ": is no delegation", index);
	by_identity = note_verify(&note, &c->r->identity);
	if (!by_identity && (!c->ret->epochs || !note_verify(&note, &c->key)))
		return fail(c, -EBADMSG,
			    "entry %" PRIu64 ": this delegation is signed neither by the identity "
			    "key nor by the key before it",
			    index);
	tree_root(&c->tree, &root);
	if (strcmp(d.origin, c->r->identity.name) != 0 || d.size != index || d.epoch <= c->epoch)
		return fail(c, -EBADMSG, "entry %" PRIu64 ": this delegation is of another place",
			    index);
	if (!tree_equal(&root, &d.root))
		return fail(c, -EBADMSG,
			    "entries %" PRIu64 " to %" PRIu64 ": the delegation in entry %" PRIu64
			    " was signed for others",
			    c->proved, index - 1, index);
	c->key = d.key;
	c->delegation = index;
	c->epoch = d.epoch;
	c->proved = index;
	c->ret->epochs++;
	c->ret->starts += by_identity;
	return 0;
}

static int check_statement(struct check *c, uint64_t index, const char *entry, size_t len)
{
	char error[CHAIN_ERROR_LEN];
	int err = chain_next(&c->ret->statements, index, entry, len, &c->key, error);

	return err == -EBADMSG ? fail(c, err, "entry %" PRIu64 ": %s", index, error) : err;
}

/* The tree has the size of a checkpoint: is it the one, and is that signed? */
static int check_checkpoint(struct check *c, const char *name, const struct note *note,
			    const struct checkpoint *want)
{
	struct tree_hash root;

	if (want->delegation != c->delegation || !note_verify(note, &c->key))
		return fail(c, -EBADMSG,
			    "%s: is not signed by the key that entry %" PRIu64 " delegates to",
			    name, c->delegation);
	tree_root(&c->tree, &root);
	if (tree_equal(&root, &want->root))
		return 0;
	return fail(c, -EBADMSG, "entries %" PRIu64 " to %" PRIu64 ": %s was signed for others",
		    c->proved, want->size - 1, name);
}

static int check_sizes(struct check *c)
{
	const struct checkpoint *now = &c->r->checkpoint;
	int err = 0;

	if (c->note_text && c->tree.size == c->earlier.size)
		err = check_checkpoint(c, "the earlier checkpoint", &c->note, &c->earlier);
	if (!err && c->tree.size == now->size)
		err = check_checkpoint(c, "checkpoint", &c->r->note, now) ?: compare_parts(c);
	return err;
}

/* --- the walk --- */

static int check_entry(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct check *c = ctx;
	struct tree_hash leaf;
	int err = 0;

	if (at->index >= c->r->checkpoint.size) /* signed by nobody yet */
		return 0;
	if (entry_is(entry, len, "epoch"))
		err = check_delegation(c, at->index, entry, len);
	else if (!at->index)
		err = fail(c, -EBADMSG, "entry 0: is no delegation");
	else if (entry_is(entry, len, "statement"))
		err = check_statement(c, at->index, entry, len);
	if (err)
		return err;
	c->ret->last_ms = entry_time(entry, len);
	tree_leaf(entry, len, &leaf);
	tree_append(&c->tree, &leaf, on_tile, c);
	return c->tile_err ?: check_sizes(c);
}

static int read_earlier(struct check *c, const char *path)
{
	size_t len;
	int err = disk_read(AT_FDCWD, path, NOTE_MAX, &c->note_text, &len);

	if (err)
		return fail(c, err, "%s: %s", path, strerror(-err));
	if (note_parse(&c->note, c->note_text, len) ||
	    checkpoint_parse(&c->earlier, c->note.text, c->note.len) || !c->earlier.size)
		return fail(c, -EINVAL, "%s: is no checkpoint", path);
	if (strcmp(c->earlier.origin, c->r->identity.name) != 0)
		return fail(c, -EBADMSG, "the earlier checkpoint is of another log: %s",
			    c->earlier.origin);
	if (c->earlier.size > c->r->checkpoint.size)
		return fail(c, -EBADMSG,
			    "the log was cut off: it has %" PRIu64
			    " entries, the earlier checkpoint %" PRIu64,
			    c->r->checkpoint.size, c->earlier.size);
	c->ret->earlier = c->earlier.size;
	return 0;
}

/* The key that is trusted need not be the one that whoever changed the log put beside it. */
static int check_identity(struct check *c, const char *vkey)
{
	struct note_key trusted;

	if (!vkey)
		return 0;
	if (note_vkey_parse(&trusted, vkey, strlen(vkey)))
		return fail(c, -EINVAL, "'%s' is no verification key", vkey);
	if (strcmp(trusted.name, c->r->identity.name) != 0 ||
	    memcmp(trusted.public, c->r->identity.public, NOTE_KEY_LEN) != 0)
		return fail(c, -EBADMSG, "vkey: is another key, of %s", c->r->identity.name);
	return 0;
}

static int check_log(struct check *c, const char *vkey, const char *earlier)
{
	struct reader_end end;
	int err = check_identity(c, vkey);

	if (!err && !c->r->note_text)
		err = fail(c, -EBADMSG, "checkpoint: is missing");
	if (!err && !c->r->checkpoint.size)
		err = fail(c, -EBADMSG, "checkpoint: is of no entries");
	if (!err && earlier)
		err = read_earlier(c, earlier);
	if (err)
		return err;
	err = reader_each(c->r, 0, check_entry, c, &end);
	if (err)
		return blame(c, err);
	snprintf(c->ret->origin, sizeof(c->ret->origin), "%s", c->r->identity.name);
	c->ret->size = c->r->checkpoint.size;
	c->ret->root = c->r->checkpoint.root;
	c->ret->unsigned_entries = end.size - c->r->checkpoint.size;
	c->ret->key = c->key;
	return 0;
}

int verify(struct reader *r, const char *path, const char *vkey, const char *earlier,
	   struct verified *ret)
{
	struct check *c = calloc(1, sizeof(*c));
	int err = reader_open(r, path);

	*ret = (struct verified){};
	if (!err && !c)
		err = -ENOMEM;
	if (!err) {
		c->r = r;
		c->ret = ret;
		err = check_log(c, vkey, earlier);
		free(c->note_text);
	}
	free(c);
	return err;
}
