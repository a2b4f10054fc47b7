// SPDX-License-Identifier: BSD-2-Clause
/* verify.c - see verify.h. */
#include "evidence/verify.h"

#include "evidence/cosign.h"
#include "evidence/disk.h"
#include "evidence/entry.h"
#include "evidence/envelope.h"
#include "evidence/witness_client.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A checkpoint that the log has to go on from. */
struct kept {
	const char *name;
	char *text;
	struct note note;
	struct checkpoint c;
	size_t others; /* signatures that are not the log's */
};

enum { KEPT_EARLIER, KEPT_COSIGNED, KEPT_MAX };

struct check {
	struct reader *r;
	struct verified *ret;
	struct tree tree;
	struct note_key key; /* that signs checkpoints at this point of the log */
	uint64_t delegation; /* the entry it is from */
	uint64_t epoch;
	uint64_t proved;    /* entries up to here are those that a delegation was signed for */
	int tile_err;	    /* of the tile that the last entry filled */
	uint64_t announced; /* entries that the log says were pruned */
	struct kept kept[KEPT_MAX]; /* of size 0: not given */
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

/* The tree has the size of a checkpoint: is it the one, and is that signed? others: signatures by others that it has. */
static int check_checkpoint(struct check *c, const char *name, const struct note *note,
			    const struct checkpoint *want, size_t others)
{
	struct tree_hash root;

	if (want->delegation != c->delegation || !envelope_verify(note, &c->key, others))
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

	for (size_t i = 0; i < KEPT_MAX && !err; i++) {
		const struct kept *k = &c->kept[i];

		if (k->c.size && c->tree.size == k->c.size)
			err = check_checkpoint(c, k->name, &k->note, &k->c, k->others);
	}
	if (!err && c->tree.size == now->size)
		err = check_checkpoint(c, "checkpoint", &c->r->note, now, 0) ?: compare_parts(c);
	return err;
}

/* --- the walk --- */

static int add_leaf(struct check *c, const struct tree_hash *leaf)
{
	tree_append(&c->tree, leaf, on_tile, c);
	return c->tile_err ?: check_sizes(c);
}

/* Of entries that were pruned there are the hashes. Up to an entry that is there. */
static int add_pruned(struct check *c, uint64_t to)
{
	struct tree_hash tile[TILE_WIDTH];
	uint64_t n, loaded = UINT64_MAX;
	int err = 0;

	if (to > c->r->pruned.before)
		to = c->r->pruned.before;
	while (!err && c->tree.size < to) {
		n = c->tree.size / TILE_WIDTH;
		if (n != loaded)
			err = reader_tile(c->r, 0, n, TILE_WIDTH, tile);
		loaded = n;
		err = err ?: add_leaf(c, &tile[c->tree.size % TILE_WIDTH]);
	}
	return err == -ENOENT ? -EBADMSG : err;
}

/* Whoever removes entries cannot sign that he did. */
static int check_pruned(struct check *c)
{
	if (c->r->pruned.before <= c->announced)
		return 0;
	return fail(c, -EBADMSG,
		    "entries %" PRIu64 " to %" PRIu64
		    ": were removed, and no entry says that they were pruned",
		    c->announced, c->r->pruned.before - 1);
}

/* The checkpoint was looked at only if the walk came to its end. */
static int check_whole(struct check *c)
{
	if (c->tree.size == c->r->checkpoint.size)
		return 0;
	return fail(c, -EBADMSG,
		    "entry %" PRIu64 ": is missing, and the checkpoint is of %" PRIu64 " entries",
		    c->tree.size, c->r->checkpoint.size);
}

static int check_entry(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct check *c = ctx;
	struct tree_hash leaf;
	int err = 0;

	if (at->index >= c->r->checkpoint.size) /* signed by nobody yet */
		return 0;
	err = add_pruned(c, at->index);
	if (err)
		return err;
	if (entry_is(entry, len, "pruned"))
		entry_number(entry, len, "before", &c->announced);
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
	return add_leaf(c, &leaf);
}

static int read_kept(struct check *c, struct kept *k, int dir, const char *path, const char *name)
{
	size_t len;
	int err = disk_read(dir, path, NOTE_READ_MAX, &k->text, &len);

	if (err)
		return fail(c, err, "%s: %s", path, strerror(-err));
	if (note_parse(&k->note, k->text, len) ||
	    checkpoint_parse(&k->c, k->note.text, k->note.len) || !k->c.size)
		return fail(c, -EINVAL, "%s: is no checkpoint", path);
	k->name = name;
	k->others = ENVELOPE_ANY;
	if (strcmp(k->c.origin, c->r->identity.name) != 0)
		return fail(c, -EBADMSG, "%s is of another log: %s", name, k->c.origin);
	if (k->c.size > c->r->checkpoint.size)
		return fail(c, -EBADMSG,
			    "the log was cut off: it has %" PRIu64 " entries, %s %" PRIu64,
			    c->r->checkpoint.size, name, k->c.size);
	return 0;
}

static int read_cosigned(struct check *c, const struct note_key *witness)
{
	struct kept *k = &c->kept[KEPT_COSIGNED];
	char path[COSIGNED_PATH_LEN];
	int err;

	cosigned_path(witness, path);
	err = read_kept(c, k, c->r->dir, path, "the cosigned checkpoint");
	if (err == -ENOENT)
		return fail(c, err,
			    "%s: there is no checkpoint that %s cosigned: 'cachewarden evidence "
			    "witness' gets one",
			    path, witness->name);
	if (err)
		return err == -EINVAL ? -EBADMSG : err; /* it is a part of the log's directory */
	if (!cosign_verify(&k->note, witness, &c->ret->cosigned_s))
		return fail(c, -EBADMSG, "%s: is not cosigned by %s", path, witness->name);
	k->others = 1;
	c->ret->cosigned = k->c.size;
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

static int check_log(struct check *c, const struct verify_trust *trust)
{
	struct reader_end end;
	int err = check_identity(c, trust->vkey);

	if (!err && !c->r->note_text)
		err = fail(c, -EBADMSG, "checkpoint: is missing");
	if (!err && !c->r->checkpoint.size)
		err = fail(c, -EBADMSG, "checkpoint: is of no entries");
	if (!err && trust->earlier)
		err = read_kept(c, &c->kept[KEPT_EARLIER], AT_FDCWD, trust->earlier,
				"the earlier checkpoint");
	if (!err && trust->witness)
		err = read_cosigned(c, trust->witness);
	if (err)
		return err;
	c->ret->statements.cut = c->r->pruned.before != 0;
	err = reader_each(c->r, 0, check_entry, c, &end);
	err = err ? blame(c, err) : check_pruned(c) ?: check_whole(c);
	if (err)
		return err;
	c->ret->pruned = c->r->pruned.before;
	snprintf(c->ret->origin, sizeof(c->ret->origin), "%s", c->r->identity.name);
	c->ret->earlier = c->kept[KEPT_EARLIER].c.size;
	c->ret->size = c->r->checkpoint.size;
	c->ret->root = c->r->checkpoint.root;
	c->ret->unsigned_entries = end.size - c->r->checkpoint.size;
	c->ret->key = c->key;
	return 0;
}

static int verify_once(struct reader *r, const char *path, const struct verify_trust *trust,
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
		err = check_log(c, trust);
		for (size_t i = 0; i < KEPT_MAX; i++)
			free(c->kept[i].text);
	}
	free(c);
	return err;
}

/* Did the writer remove entries since this reader was opened? */
static bool was_pruned(const struct reader *r, const char *path)
{
	struct reader now;
	bool grew = !reader_open(&now, path) && now.pruned.before > r->pruned.before;

	reader_close(&now);
	return grew;
}

int verify_with(struct reader *r, const char *path, const struct verify_trust *trust,
		struct verified *ret)
{
	int err = verify_once(r, path, trust, ret);

	if ((err != -EBADMSG && err != -ENOENT) || !was_pruned(r, path))
		return err;
	reader_close(r);
	return verify_once(r, path, trust, ret);
}

int verify(struct reader *r, const char *path, const char *vkey, const char *earlier,
	   struct verified *ret)
{
	return verify_with(r, path, &(struct verify_trust){.vkey = vkey, .earlier = earlier}, ret);
}
