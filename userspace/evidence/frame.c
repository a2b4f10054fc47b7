// SPDX-License-Identifier: BSD-2-Clause
/* frame.c - see frame.h. */
#include "evidence/frame.h"

#include "base/crc32c.h"

#include <string.h>

static uint32_t load32(const uint8_t *b)
{
	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void store32(uint32_t v, uint8_t *b)
{
	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t sum(const uint8_t *head, const void *entry, size_t len)
{
	return crc32c(crc32c(0, head, 4), entry, len);
}

enum frame_error frame_next(const uint8_t *bytes, size_t size, size_t *at, const char **ret,
			    size_t *ret_len)
{
	const uint8_t *head = bytes + *at;
	size_t left = size - *at, len;

	if (!left)
		return FRAME_END;
	if (left < FRAME_HEAD)
		return FRAME_CUT;
	len = load32(head);
	if (!len || len > FRAME_ENTRY_MAX)
		return FRAME_LENGTH;
	if (left - FRAME_HEAD < len)
		return FRAME_CUT;
	if (sum(head, head + FRAME_HEAD, len) != load32(head + 4))
		return FRAME_CHECKSUM;
	*ret = (const char *)head + FRAME_HEAD;
	*ret_len = len;
	*at += FRAME_HEAD + len;
	return FRAME_FINE;
}

size_t frame_len(const uint8_t *record)
{
	return FRAME_HEAD + load32(record);
}

const char *frame_error_text(enum frame_error e)
{
	static const char *const texts[] = {
		[FRAME_FINE] = "no error",
		[FRAME_END] = "the log ends",
		[FRAME_CUT] = "the record is cut off",
		[FRAME_LENGTH] = "the record's length is wrong",
		[FRAME_CHECKSUM] = "the record's checksum is wrong",
	};

	return texts[e];
}

void frame_put(uint8_t *buf, const char *entry, size_t len)
{
	store32((uint32_t)len, buf);
	store32(sum(buf, entry, len), buf + 4);
	memcpy(buf + FRAME_HEAD, entry, len);
}
