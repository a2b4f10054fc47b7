// SPDX-License-Identifier: BSD-2-Clause
/* prove.c - see prove.h. */
#include "evidence/prove.h"

#include "base/base64.h"
#include "evidence/entry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wanted {
	uint64_t index;
	char *extra; /* the entry in base64 */
	struct tree_hash leaf;
};

static int take(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct wanted *w = ctx;

	if (at->index != w->index)
		return 1;
	w->extra = malloc(BASE64_LEN(len) + 1);
	if (!w->extra)
		return -ENOMEM;
	base64_encode(entry, len, w->extra);
	tree_leaf(entry, len, &w->leaf);
	return 1;
}

static char *format(const struct reader *r, uint64_t index, const struct wanted *w,
		    const struct tree_proof *p)
{
	char hash[NOTE_HASH_TEXT], *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "c2sp.org/tlog-proof@v1\nextra %s\nindex %" PRIu64 "\n", w->extra, index);
	for (size_t i = 0; i < p->count; i++) {
		note_hash_text(&p->hash[i], hash);
		fprintf(f, "%s\n", hash);
	}
	fprintf(f, "\n%s", r->note_text);
	return fclose(f) ? NULL : text;
}

static int compute(struct reader *r, uint64_t index, struct wanted *w, struct tree_proof *p)
{
	const struct checkpoint *c = &r->checkpoint;
	int err;

	if (index >= c->size) {
		snprintf(r->error, sizeof(r->error),
			 "entry %" PRIu64 ": there is none; the checkpoint is of %" PRIu64
			 " entries",
			 index, c->size);
		return -EBADMSG;
	}
	err = reader_each(r, index, take, w, NULL);
	if (!err && !w->extra) {
		snprintf(r->error, sizeof(r->error),
			 "entry %" PRIu64 ": was pruned; entries from %" PRIu64 " on are there",
			 index, r->pruned.before);
		return -EBADMSG;
	}
	err = err ?: reader_load_tail(r) ?: tree_inclusion(index, c->size, reader_subtree, r, p);
	if (!err && !tree_check_inclusion(p, index, c->size, &w->leaf, &c->root)) {
		snprintf(r->error, sizeof(r->error),
			 "entry %" PRIu64 ": the log is damaged: see 'cachewarden evidence verify'",
			 index);
		err = -EBADMSG;
	}
	return err == -ENOENT ? -EBADMSG : err; /* a tile was removed */
}

int prove(struct reader *r, uint64_t index, char **ret)
{
	struct tree_proof proof;
	struct wanted w = {.index = index};
	int err = compute(r, index, &w, &proof);

	*ret = err ? NULL : format(r, index, &w, &proof);
	free(w.extra);
	return err ?: *ret ? 0 : -ENOMEM;
}
