// SPDX-License-Identifier: BSD-2-Clause
/* witness_client.c - see witness_client.h. */
#include "evidence/witness_client.h"

#include "base/http_client.h"
#include "evidence/cosign.h"
#include "evidence/disk.h"
#include "evidence/entry.h"
#include "evidence/reader.h"
#include "evidence/witness_request.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 4
#define BATCH_MAX 50000 /* bytes of delegations in one request */
#define SAID_LEN 200	/* of what a witness says, in an error message */

struct client {
	const char *dir, *url;
	const struct note_key *witness;
	struct reader r;
	uint64_t old;	     /* entries that the witness has cosigned, as far as is known */
	uint64_t delegation; /* entry with the last one that it knows; UINT64_MAX: none */
	bool reopened;	     /* the log, since another process may have gone on with it */
	struct http_answer *answer;
	struct witnessed *ret;
	char *error;
};

__attribute__((format(printf, 3, 4))) static int fail(struct client *c, int err, const char *fmt,
						      ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->error, WITNESS_CLIENT_ERROR_LEN, fmt, args);
	va_end(args);
	return err;
}

void cosigned_path(const struct note_key *witness, char buf[COSIGNED_PATH_LEN])
{
	snprintf(buf, COSIGNED_PATH_LEN, "cosigned/%08" PRIx32, witness->id);
}

/* --- the log --- */

/* What the log here has, not what the witness says, is wrong. */
static int note_damage(struct client *c, int err)
{
	c->ret->damaged = c->ret->damaged || err == -EBADMSG;
	return err;
}

static int open_log(struct client *c)
{
	int err = reader_open(&c->r, c->dir);

	if (!err && !c->r.checkpoint.size)
		err = fail(c, -ENOENT,
			   "the log has no checkpoint yet: is 'cachewarden run' running?");
	else if (err)
		fail(c, err, "%s", c->r.error);
	note_damage(c, err);
	return err;
}

/* What this witness cosigned before. A file that is none of its is as good as no file. */
static void read_previous(struct client *c)
{
	char path[COSIGNED_PATH_LEN], *text;
	struct checkpoint before;
	uint64_t time_s;
	struct note n;
	size_t len;

	c->old = 0;
	c->delegation = UINT64_MAX;
	cosigned_path(c->witness, path);
	if (disk_read(c->r.dir, path, NOTE_READ_MAX, &text, &len))
		return;
	if (!note_parse(&n, text, len) && cosign_verify(&n, c->witness, &time_s) &&
	    !checkpoint_parse(&before, n.text, n.len) && before.size <= c->r.checkpoint.size) {
		c->old = before.size;
		c->delegation = before.delegation;
	}
	free(text);
}

/* --- requests --- */

static int post(struct client *c, const char *resource, const char *body, size_t len)
{
	int err = http_post(c->url, resource, body, len, c->answer);

	if (err == -EINVAL)
		return fail(c, err,
			    "'%s' is no address of a witness; expected: http://HOST:PORT, without "
			    "TLS, since what is sent is signed",
			    c->url);
	if (err == -EHOSTUNREACH || err == -ECONNREFUSED || err == -ETIMEDOUT)
		return fail(c, err, "%s: %s: is the witness running there?", c->url,
			    strerror(-err));
	if (err)
		return fail(c, err == -EBADMSG ? -EPROTO : err, "%s: %s", c->url,
			    err == -EBADMSG ? "what answers is no HTTP server" : strerror(-err));
	return 0;
}

/* What the witness said, safe for a terminal. */
static int refused(struct client *c, int err, const char *what)
{
	char said[SAID_LEN + 1];
	size_t n = 0;

	for (; n < c->answer->len && n < SAID_LEN && c->answer->body[n] != '\n'; n++)
		said[n] = isprint((unsigned char)c->answer->body[n]) ? c->answer->body[n] : '?';
	said[n] = '\0';
	return fail(c, err, "%s: %s: it answers %d: %s", c->url, what, c->answer->head.status,
		    said);
}

/* --- delegations --- */

struct chain {
	struct client *c;
	FILE *f;
	char *text;
	size_t len;
	uint64_t epoch; /* of the last one */
};

static int add_delegation(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct chain *chain = ctx;
	struct client *c = chain->c;
	char text[NOTE_MAX];
	struct delegation d;
	struct note note;

	if (at->index >= c->r.checkpoint.size)
		return 1;
	if (!entry_is(entry, len, "epoch"))
		return 0;
	if (reader_delegation(entry, len, text, &note, &d))
		return fail(c, -EBADMSG,
			    "entry %" PRIu64
			    ": is no delegation: see 'cachewarden evidence verify'",
			    at->index);
	if (note_verify(&note, &c->r.identity)) /* what was before is not needed to trust it */
		rewind(chain->f);
	fprintf(chain->f, "%s\n", text);
	chain->epoch = d.epoch;
	return 0;
}

/* All of them since the witness knew the last one, or since the identity key made the last one; an empty line behind each. */
static int collect(struct client *c, struct chain *chain)
{
	uint64_t from = c->delegation == UINT64_MAX ? 0 : c->delegation + 1;
	int err;

	chain->f = open_memstream(&chain->text, &chain->len);
	if (!chain->f)
		return fail(c, -ENOMEM, "out of memory");
	err = reader_each(&c->r, from, add_delegation, chain, NULL);
	if (err && !c->error[0])
		fail(c, err, "%s", c->r.error);
	if (fclose(chain->f) && !err)
		err = fail(c, -ENOMEM, "out of memory");
	return err;
}

/* How many bytes make a request: whole delegations. */
static size_t batch(const char *text, size_t len)
{
	size_t at = 0, end = 0, n;
	struct delegation d;
	struct note note;

	while (end < len && witness_next_delegation(text, len, &at, &note, &d) > 0) {
		n = at;
		if (end && n > BATCH_MAX)
			break;
		end = n;
	}
	return end;
}

#define CUT_OFF "it was cut off or restored from an older copy, or is continued elsewhere"

/* The witness took them, and says which epoch it knows. Returns 1 to try again. */
static int check_epoch(struct client *c, uint64_t own)
{
	size_t len = c->answer->len;
	uint64_t epoch;

	if (!len || !note_number_parse(c->answer->body, len - 1, &epoch))
		return refused(c, -EPROTO, "the log's keys");
	if (epoch <= own)
		return 0;
	if (!c->reopened) { /* another process may just have sent a later one */
		c->reopened = true;
		reader_close(&c->r);
		return open_log(c) ? -EBADMSG : 1;
	}
	return fail(c, -EBADMSG,
		    "%s knows epoch %" PRIu64 " of this log, and the last one here is %" PRIu64
		    ": " CUT_OFF,
		    c->witness->name, epoch, own);
}

static int send_delegations(struct client *c)
{
	struct chain chain = {.c = c};
	int err = 0;

	if (c->delegation == c->r.checkpoint.delegation)
		return 0;
	err = note_damage(c, collect(c, &chain));
	for (size_t at = 0, n; !err && at < chain.len; at += n) {
		n = batch(chain.text + at, chain.len - at);
		err = n ? post(c, "/add-delegation", chain.text + at, n)
			: note_damage(c, fail(c, -EBADMSG, "a delegation of the log is damaged"));
		if (err)
			break;
		if (c->answer->head.status == 200) {
			err = at + n < chain.len ? 0 : check_epoch(c, chain.epoch);
			continue;
		}
		if (c->answer->head.status == 403 && c->delegation != UINT64_MAX)
			break; /* it does not know the key before: add-checkpoint says so, too */
		err = refused(c, c->answer->head.status == 409 ? -EBADMSG : -EPROTO,
			      "the log's keys");
	}
	free(chain.text);
	return err;
}

/* --- checkpoint --- */

static int send_checkpoint(struct client *c)
{
	struct tree_proof proof;
	size_t len;
	char *text;
	int err = c->r.tail ? 0 : reader_load_tail(&c->r);

	err = err ?: tree_consistency(c->old, c->r.checkpoint.size, reader_subtree, &c->r, &proof);
	if (err) {
		err = note_damage(c, err == -ENOENT ? -EBADMSG : err);
		return fail(c, err, "%s",
			    c->r.error[0] ? c->r.error
					  : "a tile is missing: see 'cachewarden evidence verify'");
	}
	text = witness_request_text(c->old, &proof, c->r.note_text, &len);
	if (!text)
		return fail(c, -ENOMEM, "out of memory");
	err = post(c, "/add-checkpoint", text, len);
	free(text);
	return err;
}

/* Put the cosignature below the checkpoint, and keep it if it is right. Other lines are of keys that nobody here asked for. */
static int keep(struct client *c)
{
	char path[COSIGNED_PATH_LEN], line[NOTE_LINE_LEN], *text = NULL;
	size_t len, own;
	const struct note_sig *s;
	struct note n;
	int err;

	if (asprintf(&text, "%s%s", c->r.note_text, c->answer->body) < 0)
		return fail(c, -ENOMEM, "out of memory");
	len = strlen(text);
	if (note_parse(&n, text, len) || !cosign_verify(&n, c->witness, &c->ret->time_s)) {
		free(text);
		return fail(c, -EPROTO, "%s: its answer is not cosigned by the key of %s", c->url,
			    c->witness->name);
	}
	s = note_find(&n, c->witness->name, c->witness->id);
	own = strlen(c->r.note_text);
	note_line(c->witness->name, c->witness->id, s->sig, s->len, line);
	snprintf(text + own, len + 1 - own, "%s", line);
	cosigned_path(c->witness, path);
	err = disk_replace(c->r.dir, path, text, strlen(text), 0600);
	free(text);
	c->ret->size = c->r.checkpoint.size;
	return err ? fail(c, err, "%s: %s", path, strerror(-err)) : 0;
}

/* The witness knows another size. Returns 1 to try again. */
static int other_size(struct client *c)
{
	size_t len = c->answer->len;
	uint64_t size;

	if (len && c->answer->body[len - 1] == '\n')
		len--;
	if (strcmp(c->answer->head.type, WITNESS_SIZE_TYPE) != 0 ||
	    !note_number_parse(c->answer->body, len, &size))
		return refused(c, -EPROTO, "the checkpoint");
	if (size == c->old)
		return fail(c, -EBADMSG,
			    "%s has cosigned another tree of %" PRIu64
			    " entries of this log: it was continued twice, from a copy of its "
			    "directory or machine, or was changed",
			    c->witness->name, size);
	if (size <= c->r.checkpoint.size) {
		c->old = size;
		return 1;
	}
	reader_close(&c->r); /* another process may just have sent a later one */
	if (open_log(c))
		return -EBADMSG;
	if (size <= c->r.checkpoint.size) {
		c->old = size;
		return 1;
	}
	return fail(c, -EBADMSG,
		    "%s has cosigned %" PRIu64 " entries of this log, and here are %" PRIu64
		    ": " CUT_OFF,
		    c->witness->name, size, c->r.checkpoint.size);
}

/* Returns 1 to try again. */
static int submit_once(struct client *c)
{
	int err = send_delegations(c) ?: send_checkpoint(c);

	if (err)
		return err;
	switch (c->answer->head.status) {
	case 200:
		return keep(c);
	case 403:
		if (c->delegation == UINT64_MAX)
			return refused(c, -EBADMSG, "the checkpoint");
		c->delegation = UINT64_MAX; /* it may have lost what it knew */
		return 1;
	case 409:
		return other_size(c);
	case 422:
		return refused(c, -EBADMSG, "the log does not go on from what was cosigned");
	default:
		return refused(c, -EPROTO, "the checkpoint");
	}
}

int witness_submit(const char *dir, const char *url, const struct note_key *witness,
		   struct witnessed *ret, char error[WITNESS_CLIENT_ERROR_LEN])
{
	struct client c = {.dir = dir, .url = url, .witness = witness, .ret = ret, .error = error};
	int err;

	error[0] = '\0';
	ret->damaged = false;
	c.answer = calloc(1, sizeof(*c.answer));
	if (!c.answer)
		return fail(&c, -ENOMEM, "out of memory");
	err = open_log(&c);
	if (!err) {
		read_previous(&c);
		err = 1;
	}
	for (int i = 0; i < TRIES && err == 1; i++)
		err = submit_once(&c);
	if (err == 1)
		err = fail(&c, -EAGAIN, "%s: its answers contradict each other", url);
	reader_close(&c.r);
	free(c.answer);
	return err;
}
