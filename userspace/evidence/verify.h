/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify.h - checks a whole log: every entry against its tile, every tile against those below it, the tree against each
 * delegation and against the checkpoint, and each signature against the key that was delegated to, back to the identity key.
 * Memory does not grow with the log.
 */
#ifndef CACHEWARDEN_VERIFY_H
#define CACHEWARDEN_VERIFY_H

#include "evidence/chain.h"
#include "evidence/reader.h"

struct verified {
	char origin[NOTE_NAME_LEN];
	uint64_t size; /* of the checkpoint */
	struct tree_hash root;
	uint64_t
		unsigned_entries; /* behind the checkpoint: the writer was about to sign, or was killed */
	uint64_t epochs, starts; /* delegations; those by the identity key */
	struct note_key key;	 /* that signed the checkpoint */
	struct chain statements;
	int64_t last_ms;   /* time of the last entry */
	uint64_t earlier;  /* size of the earlier checkpoint that was given; 0: none was */
	uint64_t cosigned; /* size of the checkpoint that the witness cosigned, and when */
	uint64_t cosigned_s;
	uint64_t pruned; /* entries that retention removed, as the log says */
};

/* Whom to trust besides the directory itself; NULL: nobody. */
struct verify_trust {
	const char *vkey;		/* identity key, as text */
	const char *earlier;		/* file of a checkpoint that was kept elsewhere */
	const struct note_key *witness; /* whose cosigned checkpoint is in the directory */
};

/*
 * vkey: the identity key to trust, as text; NULL: the one in the directory. earlier: the file of a checkpoint that was kept
 * elsewhere, which has to be a prefix of this log; NULL: none. Returns 0; -EBADMSG if the log is not what was written; or
 * another negative errno if it cannot be read. r->error then names the first bad entry, or what else is wrong. The caller
 * closes the reader.
 */
int verify(struct reader *r, const char *path, const char *vkey, const char *earlier,
	   struct verified *ret);
int verify_with(struct reader *r, const char *path, const struct verify_trust *trust,
		struct verified *ret);

#endif
