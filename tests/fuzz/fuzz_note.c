/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_note.c - libFuzzer on signed notes, checkpoints, delegations and verification keys.
 *
 * Invariants: any bytes are accepted or refused; what is accepted is written as the same bytes again. Nothing is verified by
 * a key that signed nothing.
 */
#include "evidence/note.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check(int ok)
{
	if (!ok)
		abort();
}

static void check_same(const char *text, size_t len, const char *again)
{
	check(strlen(again) == len && !memcmp(again, text, len));
}

static void check_texts(const char *text, size_t len)
{
	struct checkpoint c;
	struct delegation d;
	char again[NOTE_MAX];
	bool is_checkpoint = !checkpoint_parse(&c, text, len);
	bool is_delegation = !delegation_parse(&d, text, len);

	check(!(is_checkpoint && is_delegation));
	if (is_checkpoint) {
		checkpoint_text(&c, again);
		check_same(text, len, again);
	}
	if (is_delegation) {
		delegation_text(&d, again);
		check_same(text, len, again);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t public[NOTE_KEY_LEN] = {1};
	char vkey[NOTE_VKEY_LEN], *text = malloc(size + 1);
	struct note_key k;
	struct note n;

	/* of its own size, so that reading behind its end is found */
	memcpy(text, data, size);
	if (!note_vkey_parse(&k, text, size)) {
		note_vkey(&k, vkey);
		check_same(text, size, vkey);
	}
	if (size < NOTE_MAX)
		check_texts(text, size);
	if (!note_parse(&n, text, size)) {
		check(n.sigs && n.sigs <= NOTE_SIGS_MAX && n.len < size);
		check_texts(n.text, n.len);
		check(!note_key_init(&k, "nobody", public));
		check(!note_verify(&n, &k));
	}
	free(text);
	return 0;
}
