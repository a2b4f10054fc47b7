// SPDX-License-Identifier: BSD-2-Clause
/* handover_message.c - see handover_message.h. */
#include "monitor/handover_message.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *text;
	unsigned int numbers;
} words[HANDOVER_WORDS] = {
	[HANDOVER_HELLO] = {"hello", 2},
	[HANDOVER_READY] = {"ready", 1},
	[HANDOVER_AT] = {"at", 2},
	[HANDOVER_DONE] = {"done", 0},
};

size_t handover_put(const struct handover_message *m, char text[HANDOVER_MESSAGE_LEN])
{
	size_t len = (size_t)snprintf(text, HANDOVER_MESSAGE_LEN, "%s", words[m->word].text);

	for (unsigned int i = 0; i < words[m->word].numbers; i++)
		len += (size_t)snprintf(text + len, HANDOVER_MESSAGE_LEN - len, " %" PRIu64,
					m->number[i]);
	return len;
}

/* A space and a decimal number of 64 bits. Returns how long that is, 0 if it is none. */
static size_t take_number(const char *at, size_t len, uint64_t *ret)
{
	size_t i;

	if (len < 2 || at[0] != ' ')
		return 0;
	*ret = 0;
	for (i = 1; i < len && at[i] >= '0' && at[i] <= '9'; i++) {
		if (__builtin_mul_overflow(*ret, 10, ret) ||
		    __builtin_add_overflow(*ret, (uint64_t)(at[i] - '0'), ret))
			return 0;
	}
	return i > 1 ? i : 0;
}

bool handover_parse(const char *text, size_t len, struct handover_message *ret)
{
	struct handover_message m = {.word = HANDOVER_HELLO};
	size_t at = 0, n;

	for (; m.word < HANDOVER_WORDS; m.word++) {
		at = strlen(words[m.word].text);
		if (len >= at && !memcmp(text, words[m.word].text, at) &&
		    (len == at || text[at] == ' '))
			break;
	}
	if (m.word == HANDOVER_WORDS)
		return false;
	for (unsigned int i = 0; i < words[m.word].numbers; i++) {
		n = take_number(text + at, len - at, &m.number[i]);
		if (!n)
			return false;
		at += n;
	}
	if (at != len)
		return false;
	*ret = m;
	return true;
}
