/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store.h - a log open for writing. Entries are appended in memory and committed in groups: write-ahead log and fdatasync,
 * then tiles, then the checkpoint, each on the disk before the next. No checkpoint ever claims what is not on the disk, and
 * none is ever of a smaller tree.
 *
 * Checkpoints are signed by epoch keys that exist in memory alone. At start the identity key delegates to the first one;
 * each delegates to the next one in an entry and is wiped.
 */
#ifndef CACHEWARDEN_STORE_H
#define CACHEWARDEN_STORE_H

#include "evidence/note.h"

#include <stdbool.h>

#define STORE_ERROR_LEN 600

struct store;

/* What was found when a log was opened. */
struct recovery {
	bool fresh;	      /* it is new */
	bool clean;	      /* its last entry says that the writer ended */
	uint64_t signed_size; /* of the last checkpoint */
	uint64_t replayed;    /* entries behind it, which no checkpoint had covered until now */
	uint64_t cut;	      /* bytes cut off behind the last good record */
	int64_t last_ms;      /* time of the last entry; 0: there is none, or it does not say */
};

/*
 * Open the log in a directory, which is created if it does not exist, and take it for this process. host names a new log.
 * The delegation of the first epoch key is appended and committed. Returns 0, or a negative errno with the reason in error.
 */
int store_open(struct store **ret, const char *path, const char *host, struct recovery *found,
	       char error[STORE_ERROR_LEN]);

/* Wipes the key and releases the directory; entries that were not committed are lost. NULL is accepted. */
void store_close(struct store *s);

/* Append an entry (entry.h). Returns 0; -ENOBUFS if too much waits for the disk; -ENOMEM. */
int store_append(struct store *s, const char *entry, size_t len);

/* Where pending entries end; and drop those behind a mark, if nothing was committed since. */
struct store_mark {
	size_t len;
	uint64_t count;
};

struct store_mark store_mark(const struct store *s);
void store_rewind(struct store *s, struct store_mark mark);

/*
 * Put what was appended on the disk, and sign. Returns 0, or a negative errno: nothing is lost then, and the next call
 * tries again.
 */
int store_commit(struct store *s);

/* Commit, and delegate to a new epoch key; now_ms is the entry's time. Returns 0 or a negative errno: the old key stays. */
int store_rotate(struct store *s, int64_t now_ms);

/* Commit, and write the tiles that are not full, so that any reader of C2SP tlog-tiles can read the directory. */
int store_finish(struct store *s);

/* Are the directory and the write-ahead log still where they were opened? If not, whoever looks there sees another log, or none. */
bool store_in_place(const struct store *s);

/* Entries that a checkpoint covers; entries that wait for the disk. */
uint64_t store_signed(const struct store *s);
uint64_t store_pending(const struct store *s);
const char *store_origin(const struct store *s);

/* Its directory, open. */
int store_dir(const struct store *s);

/* The index of the next entry that is appended. */
uint64_t store_next(const struct store *s);

/* The tree of all entries that are on the disk, and the key in force, which store_sign() signs with; a note_sign_fn. */
void store_head(const struct store *s, struct checkpoint *ret);
const struct note_key *store_key(const struct store *s);
int store_sign(void *ctx, const void *text, size_t len, uint8_t sig[NOTE_SIG_LEN]);

#endif
