// SPDX-License-Identifier: BSD-2-Clause
/* bundle.c - see bundle.h. */
#include "attest/bundle.h"

#include "attest/archive.h"
#include "attest/blobs.h"
#include "attest/custody.h"
#include "attest/proctree.h"
#include "attest/report_html.h"
#include "attest/timeline.h"
#include "evidence/blob.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The script as it stands in the source tree. Paths are from the top, where make runs. */
__asm__(".pushsection .rodata\n"
	".global bundle_verify_py\n"
	"bundle_verify_py:\n"
	".incbin \"userspace/attest/verify.py\"\n"
	".global bundle_verify_end\n"
	"bundle_verify_end:\n"
	".byte 0\n"
	".popsection\n");
extern const char bundle_verify_py[], bundle_verify_end[];

static const char verify_txt[] =
	"What is in this directory, and how to check it\n"
	"\n"
	"  entries.jsonl    entries of the log of cachewarden, one per line, as they were signed\n"
	"  proofs.jsonl     for each of them the proof that it is in the log (RFC 6962 hashes, in base64)\n"
	"  checkpoint       size and root of the log, a signed note (C2SP tlog-checkpoint)\n"
	"  keys.jsonl       how the log's identity delegated to the key that signed it: signed notes\n"
	"  vkey             the identity's verification key\n"
	"  timeline.jsonl   what happened, for Timesketch; made from the entries\n"
	"  coverage.json    who watched in that time, what was counted, lost and not seen (in-toto statement, not signed)\n"
	"  host.json        host, monitor and servers\n"
	"  proctree.json    the processes that the entries name, with parents, logins and rights; made from the entries\n"
	"  clock.json       starts of the host and the monitor, what the clocks said, and when they were set; made from the entries\n"
	"  custody.json     who made this directory when, on which host, by which program; said by that program alone\n"
	"  blob-SHA256      an executable that nothing else was left of, if there is one. DO NOT RUN IT\n"
	"  report.html      all of it for people: one file, no script\n"
	"  manifest.sha256  digests of these files\n"
	"  verify.py        checks all of the above; needs Python 3 and openssl\n"
	"\n"
	"1. Digests, with nothing but coreutils:\n"
	"\n"
	"       sha256sum -c manifest.sha256\n"
	"\n"
	"   Compare the digest of manifest.sha256 itself with the one that `evidence export` printed: whoever can change\n"
	"   all files can change that one, too.\n"
	"\n"
	"2. Is vkey the log's key? Compare it with a copy that was kept elsewhere when the log was begun.\n"
	"\n"
	"3. Proofs and signatures:\n"
	"\n"
	"       python3 verify.py\n"
	"\n"
	"   Each entry is hashed (SHA-256 of a zero byte and the line without its end), the proof leads from there to the root\n"
	"   in the checkpoint, and the checkpoint is signed by the last of a chain of keys that begins with vkey. Only\n"
	"   entries, proofs, checkpoint, keys and vkey are proved in this way. The other files are made from the entries: what\n"
	"   they say counts as far as the entries say it.\n"
	"\n"
	"What is not proved: that the entries are all there were (a monitor can be stopped; coverage.json says when nobody watched),\n"
	"that the clock of the host was right, and that nobody who had the keys at the time wrote something else.\n";

struct making {
	struct casefile *c;
	struct archive a;
	char manifest[CHAIN_DIGEST_LEN];
};

/* A file that is written like a stream. */
struct stream {
	FILE *f;
	char *data;
	size_t len;
};

static int begin(struct stream *s)
{
	*s = (struct stream){};
	s->f = open_memstream(&s->data, &s->len);
	return s->f ? 0 : -ENOMEM;
}

static int add_stream(struct making *m, const char *name, struct stream *s)
{
	bool failed = ferror(s->f) != 0;

	if (fclose(s->f) || failed) {
		free(s->data);
		return -ENOMEM;
	}
	return archive_add(&m->a, name, s->data, s->len);
}

static int add_text(struct making *m, const char *name, const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (copy)
		memcpy(copy, text, len);
	return archive_add(&m->a, name, copy, len);
}

/* Takes the value. */
static int add_json(struct making *m, const char *name, json_t *v)
{
	char *text = v ? json_dumps(v, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL, *whole = NULL;
	int n = text ? asprintf(&whole, "%s\n", text) : -1;

	json_decref(v);
	free(text);
	return n < 0 ? -ENOMEM : archive_add(&m->a, name, whole, (size_t)n);
}

static void put_line(FILE *f, json_t *v)
{
	json_dumpf(v, f, JSON_COMPACT | JSON_SORT_KEYS);
	putc('\n', f);
}

/* --- the files --- */

static int add_entries(struct making *m)
{
	struct stream s;

	if (begin(&s))
		return -ENOMEM;
	for (size_t i = 0; i < m->c->count; i++) {
		fwrite(m->c->all[i].entry, 1, m->c->all[i].len, s.f);
		putc('\n', s.f);
	}
	return add_stream(m, "entries.jsonl", &s);
}

static int put_proof(struct making *m, FILE *f, const struct kept *k)
{
	struct reader *r = &m->c->a.reader;
	char text[NOTE_HASH_TEXT];
	struct tree_proof p;
	struct tree_hash leaf;
	json_t *hashes, *v;
	int err = tree_inclusion(k->index, r->checkpoint.size, reader_subtree, r, &p);

	if (err)
		return err == -ENOENT ? -EBADMSG : err;
	tree_leaf(k->entry, k->len, &leaf);
	if (!tree_check_inclusion(&p, k->index, r->checkpoint.size, &leaf, &r->checkpoint.root))
		return -EBADMSG;
	hashes = json_array();
	for (size_t i = 0; i < p.count; i++) {
		note_hash_text(&p.hash[i], text);
		json_array_append_new(hashes, json_string(text));
	}
	v = json_pack("{s:I,s:o}", "index", (json_int_t)k->index, "hashes", hashes);
	if (!v)
		return -ENOMEM;
	put_line(f, v);
	json_decref(v);
	return 0;
}

static int add_proofs(struct making *m)
{
	struct stream s;
	int err = reader_load_tail(&m->c->a.reader) ?: begin(&s);

	if (err)
		return err;
	for (size_t i = 0; i < m->c->count && !err; i++)
		err = put_proof(m, s.f, &m->c->all[i]);
	if (!err)
		return add_stream(m, "proofs.jsonl", &s);
	fclose(s.f);
	free(s.data);
	return err;
}

static int add_keys(struct making *m)
{
	struct stream s;

	if (begin(&s))
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(m->c->keys); i++)
		put_line(s.f, json_array_get(m->c->keys, i));
	return add_stream(m, "keys.jsonl", &s);
}

static int add_timeline(struct making *m)
{
	struct stream s;

	if (begin(&s))
		return -ENOMEM;
	for (size_t i = 0; i < m->c->count; i++) {
		json_t *v = json_loadb(m->c->all[i].entry, m->c->all[i].len, 0, NULL);
		json_t *item = v ? timeline_item(v, m->c->all[i].index) : NULL;

		if (item)
			put_line(s.f, item);
		json_decref(item);
		json_decref(v);
	}
	return add_stream(m, "timeline.jsonl", &s);
}

static int add_report(struct making *m)
{
	struct stream s;
	int err = begin(&s);

	if (err)
		return err;
	err = report_html(s.f, m->c);
	if (!err)
		return add_stream(m, "report.html", &s);
	fclose(s.f);
	free(s.data);
	return err;
}

static json_t *host(const struct casefile *c)
{
	json_t *v = json_object(), *rows = json_object_get(c->a.sum, "servers"),
	       *servers = json_array();

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_copy(json_array_get(rows, i));

		json_object_del(row, "counts");
		json_array_append_new(servers, row);
	}
	json_object_set(v, "monitor", json_object_get(c->a.sum, "monitor"));
	json_object_set(v, "policies", json_object_get(c->a.sum, "policies"));
	json_object_set(v, "sensors", json_object_get(c->a.sum, "sensors"));
	json_object_set_new(v, "servers", servers);
	json_object_set_new(v, "incident", c->incident ? json_string(c->incident) : json_null());
	return v;
}

static json_t *processes(const struct casefile *c)
{
	json_t *tree = proctree_new();

	for (size_t i = 0; i < c->count; i++) {
		json_t *v = json_loadb(c->all[i].entry, c->all[i].len, 0, NULL);

		proctree_add(tree, v, c->all[i].index);
		json_decref(v);
	}
	return tree;
}

/* --- executables --- */

#define BLOBS_MAX 64
#define BLOBS_BYTES (256u << 20) /* in memory while the archive is made */

struct blobs {
	json_t *here, *missing; /* objects by digest: bytes; the reason */
	uint64_t bytes;
};

static const char *why_missing(int err)
{
	return err == -ENOENT	 ? "it was removed"
	       : err == -EBADMSG ? "its digest is not its name: it was changed"
	       : err == -EFBIG	 ? "too many, or too large: copy it from the log's directory"
				 : strerror(-err);
}

static int add_blob(struct making *m, struct blobs *b, const char *sha256)
{
	char name[ARCHIVE_NAME_LEN], *bytes = NULL;
	size_t len = 0;
	int err = json_object_size(b->here) == BLOBS_MAX
			  ? -EFBIG
			  : blob_read(m->c->a.reader.dir, sha256, BLOBS_BYTES - b->bytes, &bytes,
				      &len);

	if (err == -ENOMEM)
		return err;
	if (err) {
		json_object_set_new(b->missing, sha256, json_string(why_missing(err)));
		return 0;
	}
	b->bytes += len;
	json_object_set_new(b->here, sha256, json_integer((json_int_t)len));
	snprintf(name, sizeof(name), "blob-%.64s", sha256);
	return archive_add(&m->a, name, bytes, len);
}

/* Those that the entries name, each once. */
static int add_blobs(struct making *m, struct blobs *b)
{
	int err = 0;

	for (size_t i = 0; i < m->c->count && !err; i++) {
		json_t *v = json_loadb(m->c->all[i].entry, m->c->all[i].len, 0, NULL);
		const char *sha256 = blobs_named(v);

		if (sha256 && !json_object_get(b->here, sha256) &&
		    !json_object_get(b->missing, sha256))
			err = add_blob(m, b, sha256);
		json_decref(v);
	}
	return err;
}

static int add_custody(struct making *m)
{
	struct blobs b = {json_object(), json_object(), 0};
	int err = add_blobs(m, &b);

	if (!err)
		return add_json(m, "custody.json", custody_json(m->c, b.here, b.missing));
	json_decref(b.here);
	json_decref(b.missing);
	return err;
}

static int add_vkey(struct making *m)
{
	char vkey[NOTE_VKEY_LEN];
	struct stream s;

	if (begin(&s))
		return -ENOMEM;
	note_vkey(&m->c->a.reader.identity, vkey);
	fprintf(s.f, "%s\n", vkey);
	return add_stream(m, "vkey", &s);
}

static int add_script(struct making *m)
{
	int err = add_text(m, "verify.py", bundle_verify_py,
			   (size_t)(bundle_verify_end - bundle_verify_py));

	if (!err)
		m->a.file[m->a.count - 1].executable = true;
	return err;
}

static int add_manifest(struct making *m)
{
	char digest[CHAIN_DIGEST_LEN];
	struct stream s;
	int err = begin(&s);

	if (err)
		return err;
	for (size_t i = 0; i < m->a.count; i++) {
		chain_digest(m->a.file[i].data, m->a.file[i].len, digest);
		fprintf(s.f, "%s  %s\n", digest, m->a.file[i].name);
	}
	err = add_stream(m, "manifest.sha256", &s);
	if (err)
		return err;
	chain_digest(m->a.file[m->a.count - 1].data, m->a.file[m->a.count - 1].len, m->manifest);
	return 0;
}

/* --- all of it --- */

static int fill(struct making *m)
{
	const char *note = m->c->a.reader.note_text;

	return add_text(m, "VERIFY.txt", verify_txt, sizeof(verify_txt) - 1)
		       ?: add_script(m)
		       ?: add_vkey(m)
		       ?: add_text(m, "checkpoint", note, strlen(note))
		       ?: add_keys(m)
		       ?: add_entries(m)
		       ?: add_proofs(m)
		       ?: add_timeline(m)
		       ?: add_json(m, "host.json", host(m->c))
		       ?: add_json(m, "proctree.json", processes(m->c))
		       ?: add_json(m, "clock.json", clock_json(m->c))
		       ?: add_custody(m)
		       ?: add_json(m, "coverage.json", account_statement(&m->c->a))
		       ?: add_report(m)
		       ?: add_manifest(m);
}

int bundle_write(struct casefile *c, const char *path)
{
	struct making *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return -ENOMEM;
	m->c = c;
	m->a.time = c->a.to / 1000;
	snprintf(m->a.dir, sizeof(m->a.dir), "evidence");
	err = fill(m);
	if (!err)
		err = archive_write(&m->a, path);
	if (!err)
		printf("manifest.sha256: %s\n", m->manifest);
	archive_free(&m->a);
	free(m);
	return err;
}
