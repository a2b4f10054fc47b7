// SPDX-License-Identifier: BSD-2-Clause
/*
 * prune.c - see prune.h. The order: an entry says so and is signed; then the delegations among what goes, and the last
 * statement, are kept in "pruned"; then bundles are removed, oldest first. Killed in between, the log verifies, and has
 * more than it says that it has.
 */
#include "evidence/prune.h"

#include "evidence/blob.h"
#include "evidence/disk.h"
#include "evidence/entry.h"
#include "evidence/reader.h"
#include "evidence/store_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pruning {
	struct store *s;
	struct reader r;
	struct pruned kept; /* the file that is to be written */
	uint64_t before;
	uint64_t statement; /* the last one before that; 0: there is none */
	int64_t cutoff_ms;
	uint64_t found;	  /* first entry that is not older */
	uint64_t limit;	  /* for entries from here on there is another time */
	int64_t first_ms; /* time of the first entry that is left */
	bool more;
};

static int append_entry(void *ctx, const char *entry, size_t len)
{
	return store_append(ctx, entry, len);
}

/* --- the entry that says so --- */

static int announce(struct store *s, uint64_t before, uint64_t first, int64_t now_ms)
{
	struct jsonw json = {};
	const char *record;
	size_t len;
	int err;

	jsonw_object(&json, NULL);
	jsonw_int(&json, "before", (int64_t)before);
	jsonw_int(&json, "entries", (int64_t)(before - first));
	jsonw_end_object(&json);
	record = jsonw_done(&json, &len);
	err = record ? entry_make("pruned", now_ms, record, len, append_entry, s) : -ENOMEM;
	jsonw_free(&json);
	return err ?: store_commit(s);
}

/* --- the file with what is kept --- */

static int find_statement(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct pruning *p = ctx;

	if (at->index >= p->before)
		return 1;
	if (entry_is(entry, len, "statement"))
		p->statement = at->index;
	return 0;
}

static int keep(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct pruning *p = ctx;

	if (at->index >= p->before)
		return 1;
	if (!entry_is(entry, len, "epoch") && (!p->statement || at->index != p->statement))
		return 0;
	return pruned_add(&p->kept, at->index, entry, len);
}

/* Those that were kept before come first: the reader has them, too. */
static int write_kept(struct pruning *p)
{
	int err = pruned_begin(&p->kept, p->before);

	err = err ?: reader_each(&p->r, 0, find_statement, p, NULL);
	err = err ?: reader_each(&p->r, 0, keep, p, NULL);
	err = err ?: disk_replace(p->s->dir, PRUNED_PATH, p->kept.bytes, p->kept.len, 0600);
	pruned_free(&p->kept);
	return err;
}

/* --- removal --- */

static bool has_bundle(int dir, uint64_t n)
{
	char path[TILE_PATH_LEN];

	tile_path(TILE_ENTRIES, n, TILE_WIDTH, path);
	return !faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* The copies of a bundle that were made when it was not full. */
static int remove_parts(int dir, const char *bundle)
{
	char path[TILE_PATH_LEN + 4];
	const struct dirent *e;
	int parts, err = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s.p", bundle);
	parts = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (parts < 0)
		return errno == ENOENT ? 0 : -errno;
	d = fdopendir(parts);
	if (!d) {
		close(parts);
		return -ENOMEM;
	}
	while (!err && (e = readdir(d))) {
		if (e->d_name[0] != '.' && unlinkat(dirfd(d), e->d_name, 0))
			err = -errno;
	}
	closedir(d);
	return err ?: unlinkat(dir, path, AT_REMOVEDIR) ? -errno : 0;
}

static int remove_bundle(int dir, uint64_t n)
{
	char path[TILE_PATH_LEN];

	tile_path(TILE_ENTRIES, n, TILE_WIDTH, path);
	if (unlinkat(dir, path, 0) && errno != ENOENT)
		return -errno;
	return remove_parts(dir, path);
}

/* From the first one that is left, also by an earlier attempt, so that they never have a gap. */
static int remove_bundles(int dir, uint64_t before)
{
	uint64_t end = before / TILE_WIDTH, n = end;
	int err = 0;

	while (n && has_bundle(dir, n - 1))
		n--;
	for (n = n ? n - 1 : 0; n < end && !err; n++) /* one more: its copies may be left */
		err = remove_bundle(dir, n);
	return err;
}

/* --- executables --- */

static int take_time(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct pruning *p = ctx;

	if (at->index < p->before)
		return 0;
	p->first_ms = entry_time(entry, len);
	return 1;
}

/* Those that only entries name that are gone: what is left begins at that time. */
static int remove_blobs(struct pruning *p, uint64_t first)
{
	int err;

	if (!first)
		return 0;
	p->before = first;
	p->first_ms = INT64_MAX;
	err = reader_each(&p->r, first, take_time, p, NULL);
	return err || p->first_ms == INT64_MAX ? err : blobs_prune(p->s->dir, p->first_ms);
}

/* --- from where on --- */

static int prune(struct pruning *p, uint64_t before, int64_t now_ms, uint64_t *ret)
{
	uint64_t size = store_signed(p->s), first = p->r.pruned.before;
	uint64_t most = size > PRUNE_KEEP_MIN ? size - PRUNE_KEEP_MIN : 0;
	int err = 0;

	p->before = before < most ? before : most;
	p->before -= p->before % TILE_WIDTH;
	*ret = first;
	if (p->before > first) {
		err = announce(p->s, p->before, first, now_ms) ?: write_kept(p);
		if (err)
			return err;
		*ret = p->before;
	}
	return remove_bundles(p->s->dir, *ret) ?: remove_blobs(p, *ret);
}

/* Entries must be in bundles to be read and counted; what waits is signed first. */
static int begin(struct pruning *p, struct store *s)
{
	*p = (struct pruning){.s = s};
	return store_commit(s) ?: reader_open_at(&p->r, s->dir);
}

static int finish(struct pruning *p, int err, char error[STORE_ERROR_LEN])
{
	if (err)
		snprintf(error, STORE_ERROR_LEN, "%s", p->r.error[0] ? p->r.error : strerror(-err));
	reader_close(&p->r);
	return err;
}

int prune_before(struct store *s, uint64_t before, int64_t now_ms, uint64_t *ret,
		 char error[STORE_ERROR_LEN])
{
	struct pruning p;
	int err = begin(&p, s);

	return finish(&p, err ?: prune(&p, before, now_ms, ret), error);
}

static int find_newer(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct pruning *p = ctx;

	if (at->index < p->r.pruned.before)
		return 0;
	p->found = at->index;
	p->more = at->index >= p->limit;
	return p->more || entry_time(entry, len) >= p->cutoff_ms;
}

int prune_older(struct store *s, int64_t cutoff_ms, int64_t now_ms, unsigned int bundles,
		uint64_t *ret, char error[STORE_ERROR_LEN])
{
	struct pruning p;
	int err = begin(&p, s);

	p.cutoff_ms = cutoff_ms;
	p.limit = bundles ? p.r.pruned.before + (uint64_t)bundles * TILE_WIDTH : UINT64_MAX;
	err = err ?: reader_each(&p.r, p.r.pruned.before, find_newer, &p, NULL);
	err = finish(&p, err ?: prune(&p, p.found, now_ms, ret), error);
	return err ?: p.more && *ret >= p.limit ? PRUNE_MORE : 0;
}
