// SPDX-License-Identifier: BSD-2-Clause
/* chain.c - see chain.h. */
#include "evidence/chain.h"

#include "evidence/dsse.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void chain_digest(const char *payload, size_t len, char buf[CHAIN_DIGEST_LEN])
{
	uint8_t hash[32] = {};

	EVP_Digest(payload, len, hash, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(buf + 2 * i, 3, "%02x", hash[i]);
}

/* A statement's place in the chain. */
struct place {
	struct chain as; /* what the chain is once it was taken */
	char previous[CHAIN_DIGEST_LEN];
};

static int64_t integer(json_t *v, const char *key)
{
	return json_integer_value(json_object_get(v, key));
}

static int read_place(struct place *p, uint64_t index, const char *payload, size_t len)
{
	json_t *v = json_loadb(payload, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *predicate = json_object_get(v, "predicate");
	json_t *period = json_object_get(predicate, "period");
	const char *previous = json_string_value(json_object_get(predicate, "previous"));

	*p = (struct place){
		.as = {.number = (uint64_t)integer(predicate, "number"),
		       .index = index,
		       .size = (uint64_t)integer(json_object_get(predicate, "log"), "size"),
		       .from = integer(period, "from"),
		       .to = integer(period, "to"),
		       .part = integer(predicate, "part"),
		       .more = json_is_true(json_object_get(predicate, "more")),
		       .every_ms = integer(predicate, "every_ms")}};
	if (previous)
		snprintf(p->previous, sizeof(p->previous), "%s", previous);
	chain_digest(payload, len, p->as.digest);
	json_decref(v);
	return period && p->as.number ? 0 : -EBADMSG;
}

__attribute__((format(printf, 2, 3))) static int refuse(char error[CHAIN_ERROR_LEN],
							const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(error, CHAIN_ERROR_LEN, fmt, args);
	va_end(args);
	return -EBADMSG;
}

/* The next part, or the next period; or once more the one whose parts are not all there. */
static bool time_follows(const struct chain *c, const struct chain *p)
{
	if (p->part > 1)
		return c->more && p->part == c->part + 1 && p->from == c->from && p->to == c->to;
	return p->from == (c->more ? c->from : c->to) && p->to >= (c->more ? c->to : p->from);
}

static int check_place(const struct chain *c, const struct place *p, char error[CHAIN_ERROR_LEN])
{
	if (!c->number && (c->cut || (p->as.number == 1 && !p->previous[0])))
		return 0;
	if (!c->number)
		return refuse(error, "is statement %" PRIu64 ", and there is none before it",
			      p->as.number);
	if (p->as.number != c->number + 1)
		return refuse(error,
			      "is statement %" PRIu64 ", and the one before it, entry %" PRIu64
			      ", is number %" PRIu64,
			      p->as.number, c->index, c->number);
	if (strcmp(p->previous, c->digest) != 0)
		return refuse(error, "is a statement that follows another one than entry %" PRIu64,
			      c->index);
	if (!time_follows(c, &p->as))
		return refuse(error,
			      "is a statement whose time does not follow that of entry %" PRIu64,
			      c->index);
	return 0;
}

static void take(struct chain *c, const struct place *p)
{
	uint64_t count = c->count + 1;
	bool cut = c->cut;

	*c = p->as;
	c->count = count;
	c->cut = cut;
}

int chain_take(struct chain *c, uint64_t index, const char *payload, size_t len)
{
	struct place p;
	int err = read_place(&p, index, payload, len);

	if (!err)
		take(c, &p);
	return err;
}

int chain_next(struct chain *c, uint64_t index, const char *entry, size_t len,
	       const struct note_key *key, char error[CHAIN_ERROR_LEN])
{
	json_t *v = json_loadb(entry, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *envelope = json_object_get(v, "record");
	char *payload = NULL;
	struct place p;
	size_t n = 0;
	int err = dsse_payload(envelope, &payload, &n);

	if (!err)
		err = read_place(&p, index, payload, n);
	if (err == -EBADMSG)
		refuse(error, "is no statement");
	else if (!err && key && !dsse_verify(envelope, payload, n, key))
		err = refuse(error, "is a statement that is not signed by the key in force there");
	err = err ?: check_place(c, &p, error);
	if (!err)
		take(c, &p);
	free(payload);
	json_decref(v);
	return err;
}

json_t *chain_statement(const char *entry, size_t len)
{
	json_t *v = json_loadb(entry, len, JSON_REJECT_DUPLICATES, NULL), *ret = NULL;
	char *payload = NULL;
	size_t n;

	if (!dsse_payload(json_object_get(v, "record"), &payload, &n))
		ret = json_loadb(payload, n, JSON_REJECT_DUPLICATES, NULL);
	free(payload);
	json_decref(v);
	return ret;
}
