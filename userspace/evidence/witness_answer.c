// SPDX-License-Identifier: BSD-2-Clause
/* witness_answer.c - see witness.h: what a witness answers. The directory is in witness_state.c. */
#include "evidence/witness_internal.h"

#include "base/log.h"
#include "base/macros.h"
#include "evidence/cosign.h"
#include "evidence/witness_request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct known_log *find(struct witness *w, const char *origin)
{
	for (size_t i = 0; i < w->logs; i++) {
		if (!strcmp(w->log[i].identity.name, origin))
			return &w->log[i];
	}
	return NULL;
}

static void refuse(struct http_reply *ret, int status, const char *origin, const char *why)
{
	log_warn("%s: %s", origin, why);
	http_reply_text(ret, status, "%s\n", why);
}

/* --- add-checkpoint --- */

/* A checkpoint that was sent. */
struct submitted {
	struct witness_request r;
	struct note note;
	struct checkpoint c;
	struct known_log *log;
	const struct note_key *signer; /* the log's key that signed it */
};

static bool is_signed(struct submitted *s)
{
	struct known_log *l = s->log;
	const struct note_key *trusted[] = {&l->key, l->next_epoch ? &l->next : NULL, &l->identity};

	for (size_t i = 0; i < ARRAY_SIZE(trusted); i++) {
		if (!trusted[i] || !note_verify(&s->note, trusted[i]))
			continue;
		s->signer = trusted[i];
		return true;
	}
	return false;
}

static void say_size(struct http_reply *ret, const struct known_log *l)
{
	http_reply_text(ret, 409, "%" PRIu64 "\n", l->last.size);
	ret->type = WITNESS_SIZE_TYPE;
}

/* The log's signature and the cosignature below the text; to be freed. */
static char *cosigned(const struct submitted *s, const char *line, size_t *ret_len)
{
	const struct note_sig *sig = note_find(&s->note, s->signer->name, s->signer->id);
	char own[NOTE_LINE_LEN], *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	if (!f)
		return NULL;
	note_line(s->signer->name, s->signer->id, sig->sig, sig->len, own);
	fwrite(s->note.text, 1, s->note.len, f);
	fprintf(f, "\n%s%s", own, line);
	return fclose(f) ? NULL : text;
}

/* Everything is right: remember it, then say so. */
static void accept_checkpoint(struct witness *w, struct submitted *s, struct http_reply *ret)
{
	struct known_log after = *s->log;
	char line[NOTE_LINE_LEN], *note = NULL;
	size_t len;
	int n = cosign(&s->note, signer_key(w->signer), w->now(), signer_sign, w->signer, line);
	int err = n < 0 ? n : 0;

	after.last = s->c;
	if (s->signer == &s->log->next) {
		after.key = after.next;
		after.epoch = after.next_epoch;
		after.next_epoch = 0;
	}
	if (!err)
		note = cosigned(s, line, &len);
	if (!err)
		err = note ? witness_store(w, &after, note, len) : -ENOMEM;
	free(note);
	if (err) {
		log_error("%s: cannot keep its checkpoint: %s", s->c.origin, strerror(-err));
		http_reply_text(ret, 500, "the witness cannot write to its disk\n");
		return;
	}
	*s->log = after;
	log_info("%s: cosigned %" PRIu64 " entries", s->c.origin, s->c.size);
	http_reply_text(ret, 200, "%s", line);
}

static void add_checkpoint(struct witness *w, const char *body, size_t len, struct http_reply *ret)
{
	struct submitted s = {};

	if (witness_request_parse(&s.r, body, len) || note_parse(&s.note, s.r.note, s.r.note_len) ||
	    checkpoint_parse_any(&s.c, s.note.text, s.note.len)) {
		http_reply_text(
			ret, 400,
			"expected: 'old SIZE', lines of a consistency proof, an empty line, "
			"and a signed checkpoint\n");
		return;
	}
	s.log = find(w, s.c.origin);
	if (!s.log) {
		refuse(ret, 404, s.c.origin, "this log is not known here");
		return;
	}
	if (!is_signed(&s)) {
		refuse(ret, 403, s.c.origin, "the checkpoint is signed by no key of this log");
		return;
	}
	if (s.r.old > s.c.size) {
		refuse(ret, 400, s.c.origin, "the old size is larger than the checkpoint's");
		return;
	}
	if (s.r.old != s.log->last.size) {
		say_size(ret, s.log);
		return;
	}
	if (s.r.old == s.c.size && !tree_equal(&s.c.root, &s.log->last.root)) {
		log_warn("%s: two different trees of %" PRIu64
			 " entries are signed: the log forked",
			 s.c.origin, s.c.size);
		witness_keep_forked(w, s.log, s.r.note, s.r.note_len);
		say_size(ret, s.log);
		return;
	}
	if (!tree_check_consistency(&s.r.proof, s.r.old, s.c.size, &s.log->last.root, &s.c.root)) {
		refuse(ret, 422, s.c.origin,
		       "the checkpoint was not shown to go on from the one cosigned before");
		witness_keep_refused(w, s.log, s.r.note, s.r.note_len);
		return;
	}
	accept_checkpoint(w, &s, ret);
}

/* --- add-delegation --- */

/* Keys of one log, from one it is known by to the one that it signs with now. */
struct chain {
	struct known_log *log;
	struct note_key key;
	uint64_t epoch;
};

/* Returns false after an answer that refuses. */
static bool follow(struct chain *c, const struct note *n, const struct delegation *d,
		   struct http_reply *ret)
{
	const struct known_log *l = c->log;
	bool by_identity = note_verify(n, &l->identity);

	if (d->epoch == l->epoch && by_identity &&
	    memcmp(d->key.public, l->key.public, NOTE_KEY_LEN) != 0) {
		refuse(ret, 409, d->origin,
		       "another key has that epoch: the log was continued twice, from an older copy of "
		       "its directory or machine");
		return false;
	}
	if (d->epoch <= c->epoch) /* the sender does not know how far we are */
		return true;
	if (!by_identity && !note_verify(n, &c->key) &&
	    !(l->next_epoch && note_verify(n, &l->next))) {
		refuse(ret, 403, d->origin, "a delegation is signed by no key of this log");
		return false;
	}
	c->key = d->key;
	c->epoch = d->epoch;
	return true;
}

static void add_delegation(struct witness *w, const char *body, size_t len, struct http_reply *ret)
{
	struct chain c = {};
	struct delegation d;
	struct note n;
	size_t at = 0;
	int more;

	while ((more = witness_next_delegation(body, len, &at, &n, &d)) > 0) {
		struct known_log *l = find(w, d.origin);

		if (!l || (c.log && c.log != l)) {
			refuse(ret, l ? 400 : 404, d.origin,
			       l ? "delegations of two logs in one request"
				 : "this log is not known here");
			return;
		}
		if (!c.log)
			c = (struct chain){.log = l, .key = l->key, .epoch = l->epoch};
		if (!follow(&c, &n, &d, ret))
			return;
	}
	if (more || !c.log) {
		http_reply_text(ret, 400,
				"expected: signed delegations of a log, an empty line "
				"between two\n");
		return;
	}
	if (c.epoch > c.log->epoch) {
		c.log->next = c.key;
		c.log->next_epoch = c.epoch;
	}
	http_reply_text(ret, 200, "%" PRIu64 "\n", c.epoch);
}

/* --- requests --- */

void witness_answer(void *ctx, const struct http_request *r, const char *body,
		    struct http_reply *ret)
{
	static const struct {
		const char *target;
		void (*add)(struct witness *w, const char *body, size_t len,
			    struct http_reply *ret);
	} resources[] = {{"/add-checkpoint", add_checkpoint}, {"/add-delegation", add_delegation}};

	for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
		if (strcmp(r->target, resources[i].target) != 0)
			continue;
		if (!strcmp(r->method, "POST"))
			resources[i].add(ctx, body, r->body_len, ret);
		else
			http_reply_text(ret, 405, "expected: POST\n");
		return;
	}
	http_reply_text(ret, 404, "expected: /add-checkpoint or /add-delegation\n");
}
