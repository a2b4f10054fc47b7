/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader.h - reads a log's directory: key, checkpoint, entries, tiles. It writes nothing and proves nothing: verify.h does.
 * A log can be read while it is written.
 */
#ifndef CACHEWARDEN_READER_H
#define CACHEWARDEN_READER_H

#include "evidence/note.h"
#include "evidence/pruned.h"
#include "evidence/tree.h"

#include <stdbool.h>

#define READER_ERROR_LEN 512
#define EVIDENCE_DIR "/var/lib/cachewarden/evidence"

struct reader {
	int dir;
	bool owned; /* dir is closed with it */
	struct note_key identity;
	char *note_text; /* the checkpoint as a signed note, NULL: there is none yet */
	struct note note;
	struct checkpoint checkpoint; /* size 0 if there is none */
	struct pruned pruned;	      /* what retention removed */
	struct tree_hash *tail; /* leaves behind the last full bundle, see reader_load_tail() */
	size_t tail_len;
	char error[READER_ERROR_LEN]; /* what was wrong, and where */
};

/* Where an entry stands. */
struct entry_place {
	uint64_t index;
	const char *path;
	uint64_t offset; /* of its length in that file */
};

/* Returns 0, or a negative errno with r->error set. Close it in both cases. */
int reader_open(struct reader *r, const char *path);
/* The same for an open directory, which it does not close. */
int reader_open_at(struct reader *r, int dir);
void reader_close(struct reader *r);

/* Returns 0 to go on, 1 to end, or a negative errno, but not -ENOENT, with r->error set. */
typedef int (*reader_fn)(void *ctx, const struct entry_place *at, const char *entry, size_t len);

/*
 * Each entry from an index on, also those behind the checkpoint. Returns 0, -EBADMSG if an entry is damaged or missing, or
 * another negative errno; r->error then says what and where. What is behind the last good record of the write-ahead log
 * is no error if the checkpoint does not claim it: it may be about to be written. Of entries that were pruned, the delegations
 * and the last statement are handed out, and no others: whoever needs each one has to compare at->index.
 */
struct reader_end {
	uint64_t size; /* one more than the last good entry */
	/* of the last segment of the write-ahead log that was read */
	uint64_t records; /* one more than the entry of its last good record */
	uint64_t offset;  /* behind that record */
	uint64_t behind;  /* bytes that are left there */
};
int reader_each(struct reader *r, uint64_t from, reader_fn fn, void *ctx, struct reader_end *ret);

/* The first `width` hashes of a tile, from the file that has so many. Returns 0, -ENOENT, or another negative errno with r->error set. */
int reader_tile(struct reader *r, unsigned int level, uint64_t n, unsigned int width,
		struct tree_hash *ret);

/* The same for a bundle: the hashes of its entries. -EBADMSG: it does not have so many. */
int reader_bundle(struct reader *r, uint64_t n, unsigned int width, struct tree_hash *ret);

/* Read the leaves behind the last full bundle; reader_subtree() needs them. Returns 0 or a negative errno with r->error set. */
int reader_load_tail(struct reader *r);

/* A tree_read_fn for the tree of the checkpoint; ctx is the reader. */
int reader_subtree(void *ctx, unsigned int height, uint64_t index, struct tree_hash *ret);

/*
 * The delegation in an entry, as a signed note. note keeps pointers into buf. Returns 0, or -EBADMSG if the entry has none.
 */
int reader_delegation(const char *entry, size_t len, char buf[NOTE_MAX], struct note *note,
		      struct delegation *ret);

#endif
