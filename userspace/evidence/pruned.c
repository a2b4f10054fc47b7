// SPDX-License-Identifier: BSD-2-Clause
/* pruned.c - see pruned.h. */
#include "evidence/pruned.h"

#include "evidence/entry.h"
#include "evidence/frame.h"
#include "evidence/note.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEFORE "before "

/* "INDEX ENTRY". */
static bool take_entry(const char *text, size_t len, struct pruned_entry *ret)
{
	const char *space = memchr(text, ' ', len);
	size_t digits = space ? (size_t)(space - text) : 0;

	if (!space || !note_number_parse(text, digits, &ret->index))
		return false;
	ret->entry = space + 1;
	ret->len = len - digits - 1;
	return entry_is(ret->entry, ret->len, "epoch") ||
	       entry_is(ret->entry, ret->len, "statement");
}

static bool take_head(struct pruned *p, const char *text, size_t len)
{
	size_t skip = strlen(BEFORE);

	return len > skip && !memcmp(text, BEFORE, skip) &&
	       note_number_parse(text + skip, len - skip, &p->before) && p->before;
}

int pruned_parse(struct pruned *p, void *bytes, size_t len)
{
	enum frame_error e;
	struct pruned_entry entry;
	const char *text;
	size_t at = 0, n;
	uint64_t next = 0;

	*p = (struct pruned){};
	if (frame_next(bytes, len, &at, &text, &n) != FRAME_FINE || !take_head(p, text, n))
		return -EINVAL;
	while ((e = frame_next(bytes, len, &at, &text, &n)) == FRAME_FINE) {
		if (!take_entry(text, n, &entry) || entry.index < next || entry.index >= p->before)
			break;
		next = entry.index + 1;
	}
	if (e != FRAME_END) {
		*p = (struct pruned){};
		return -EINVAL;
	}
	p->bytes = bytes;
	p->len = len;
	return 0;
}

void pruned_free(struct pruned *p)
{
	free(p->bytes);
	*p = (struct pruned){};
}

int pruned_next(const struct pruned *p, size_t *at, struct pruned_entry *ret)
{
	const char *text;
	size_t n;

	if (!*at && p->len)
		*at = frame_len(p->bytes);
	ret->offset = *at;
	return frame_next(p->bytes, p->len, at, &text, &n) == FRAME_FINE &&
	       take_entry(text, n, ret);
}

static int add_record(struct pruned *p, const char *text, size_t len)
{
	uint8_t *bytes;

	if (len > FRAME_ENTRY_MAX || p->len + FRAME_HEAD + len > PRUNED_MAX)
		return -E2BIG;
	bytes = realloc(p->bytes, p->len + FRAME_HEAD + len);
	if (!bytes)
		return -ENOMEM;
	p->bytes = bytes;
	frame_put(bytes + p->len, text, len);
	p->len += FRAME_HEAD + len;
	return 0;
}

int pruned_begin(struct pruned *p, uint64_t before)
{
	char text[32];
	int n = snprintf(text, sizeof(text), BEFORE "%" PRIu64, before);

	*p = (struct pruned){.before = before};
	return add_record(p, text, (size_t)n);
}

int pruned_add(struct pruned *p, uint64_t index, const char *entry, size_t len)
{
	char head[24], *text;
	int n = snprintf(head, sizeof(head), "%" PRIu64 " ", index), err;

	text = malloc((size_t)n + len);
	if (!text)
		return -ENOMEM;
	memcpy(text, head, (size_t)n);
	memcpy(text + n, entry, len);
	err = add_record(p, text, (size_t)n + len);
	free(text);
	return err;
}
