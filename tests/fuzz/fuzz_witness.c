/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_witness.c - libFuzzer on what strangers send to a witness, and on what an answer's receiver reads: heads of HTTP messages,
 * add-checkpoint and add-delegation.
 *
 * Invariants: any bytes are accepted or refused; a head never ends behind the bytes; an accepted add-checkpoint is written as
 * the same bytes again.
 */
#include "base/http.h"
#include "evidence/witness_request.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check(int ok)
{
	if (!ok)
		abort();
}

static void check_heads(const char *bytes, size_t size)
{
	struct http_request r;
	struct http_response a;
	int n = http_parse_request(bytes, size, &r);

	check(n <= 0 || ((size_t)n <= size && r.target[0] == '/' && r.method[0]));
	n = http_parse_response(bytes, size, &a);
	check(n <= 0 || ((size_t)n <= size && a.status >= 0 && a.status <= 999));
}

/* note is a string there: NUL bytes are no note. */
static void check_checkpoint(const char *bytes, size_t size)
{
	struct witness_request r;
	size_t len;
	char *note, *again;

	if (witness_request_parse(&r, bytes, size))
		return;
	check(r.note + r.note_len == bytes + size && r.proof.count <= WITNESS_PROOF_MAX);
	if (memchr(r.note, '\0', r.note_len))
		return;
	note = strndup(r.note, r.note_len);
	again = witness_request_text(r.old, &r.proof, note, &len);
	check(len == size && !memcmp(again, bytes, len));
	free(again);
	free(note);
}

static void check_delegations(const char *bytes, size_t size)
{
	size_t at = 0, before = 0;
	struct delegation d;
	struct note n;

	while (witness_next_delegation(bytes, size, &at, &n, &d) > 0) {
		check(at > before && at <= size);
		before = at;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size ? size : 1);

	/* of its own size, so that reading behind its end is found */
	memcpy(bytes, data, size);
	check_heads(bytes, size);
	check_checkpoint(bytes, size);
	check_delegations(bytes, size);
	free(bytes);
	return 0;
}
