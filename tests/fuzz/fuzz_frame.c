/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_frame.c - libFuzzer on the records of the evidence log's write-ahead log, and on the file with what retention kept.
 *
 * Invariants: reading ends, at the first record that is not whole, inside the bytes; what was read is written as the same
 * bytes again. An entry behind a good one does not change it. A record that is written without a tree of values is written as it
 * is with one.
 */
#include "evidence/canon.h"
#include "evidence/frame.h"
#include "evidence/pruned.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check(int ok)
{
	if (!ok)
		abort();
}

static void read_all(const uint8_t *bytes, size_t size)
{
	static uint8_t again[FRAME_HEAD + FRAME_ENTRY_MAX];
	enum frame_error e = FRAME_FINE;
	size_t at = 0, len;
	const char *entry;

	while (e == FRAME_FINE) {
		size_t before = at;

		e = frame_next(bytes, size, &at, &entry, &len);
		if (e != FRAME_FINE) {
			check(at == before && at <= size && (e == FRAME_END) == (at == size));
			check(strlen(frame_error_text(e)) > 0);
			continue;
		}
		check(len && len <= FRAME_ENTRY_MAX && at <= size &&
		      at == before + FRAME_HEAD + len);
		frame_put(again, entry, len);
		check(!memcmp(again, bytes + before, FRAME_HEAD + len));
	}
}

/* These bytes in records, each behind its length: those have the right checksums. */
static void read_pruned(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size * (FRAME_HEAD + 1) + 1);
	struct pruned_entry e = {};
	struct pruned p;
	size_t len = 0, at = 0;
	uint64_t next = 0;

	while (size > 1 && data[0] && data[0] < size) {
		frame_put(bytes + len, (const char *)data + 1, data[0]);
		len += FRAME_HEAD + data[0];
		size -= 1u + data[0];
		data += 1u + data[0];
	}
	if (pruned_parse(&p, bytes, len)) {
		free(bytes);
		return;
	}
	for (; pruned_next(&p, &at, &e); next = e.index + 1)
		check(e.index >= next && e.index < p.before && e.len && at <= len);
	check(at == len || !next);
	pruned_free(&p);
}

static void write_record(const uint8_t *data, size_t size)
{
	static struct canon plain, tree;
	json_t *v;

	plain.len = tree.len = 0;
	plain.err = tree.err = 0;
	if (!canon_plain(&plain, (const char *)data, size))
		return;
	v = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	check(v != NULL);
	canon_value(&tree, v);
	check(!tree.err && plain.len == tree.len && !memcmp(plain.buf, tree.buf, tree.len));
	json_decref(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size + FRAME_HEAD + 1);

	memcpy(bytes, data, size);
	read_all(bytes, size);
	read_pruned(data, size);
	write_record(data, size);
	if (size &&
	    size <= FRAME_ENTRY_MAX) { /* as an entry: read back, and garbage after it is none */
		uint8_t *record = malloc(FRAME_HEAD + 2 * size);
		size_t at = 0, len = 0;
		const char *entry;

		frame_put(record, (const char *)data, size);
		memcpy(record + FRAME_HEAD + size, data, size);
		check(frame_next(record, FRAME_HEAD + 2 * size, &at, &entry, &len) == FRAME_FINE);
		check(len == size && !memcmp(entry, data, size));
		free(record);
	}
	free(bytes);
	return 0;
}
