// SPDX-License-Identifier: BSD-2-Clause
/* cosign.c - see cosign.h. */
#include "evidence/cosign.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME_LEN 8 /* before the signature, big-endian */

/* What is signed, to be freed: two lines, then the checkpoint's text. */
static char *message(const struct note *n, uint64_t time_s, size_t *ret_len)
{
	size_t size = n->len + 64;
	char *text = malloc(size);
	int head;

	if (!text)
		return NULL;
	head = snprintf(text, size, "cosignature/v1\ntime %" PRIu64 "\n", time_s);
	memcpy(text + head, n->text, n->len);
	*ret_len = (size_t)head + n->len;
	return text;
}

int cosign(const struct note *n, const struct note_key *k, uint64_t time_s, note_sign_fn sign,
	   void *ctx, char buf[NOTE_LINE_LEN])
{
	uint8_t bytes[TIME_LEN + NOTE_SIG_LEN];
	size_t len;
	char *text = message(n, time_s, &len);
	int err;

	if (!text)
		return -ENOMEM;
	for (int i = 0; i < TIME_LEN; i++)
		bytes[i] = (uint8_t)(time_s >> (8 * (TIME_LEN - 1 - i)));
	err = sign(ctx, text, len, bytes + TIME_LEN);
	free(text);
	return err ?: note_line(k->name, k->id, bytes, sizeof(bytes), buf);
}

bool cosign_verify(const struct note *n, const struct note_key *k, uint64_t *ret_time_s)
{
	const struct note_sig *s = note_find(n, k->name, k->id);
	uint64_t time_s = 0;
	size_t len;
	char *text;
	bool ok;

	if (!s || s->len != TIME_LEN + NOTE_SIG_LEN)
		return false;
	for (int i = 0; i < TIME_LEN; i++)
		time_s = time_s << 8 | s->sig[i];
	text = time_s > INT64_MAX ? NULL : message(n, time_s, &len);
	if (!text)
		return false;
	ok = note_check(k->public, s->sig + TIME_LEN, text, len);
	free(text);
	if (ok)
		*ret_time_s = time_s;
	return ok;
}
