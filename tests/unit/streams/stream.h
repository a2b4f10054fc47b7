/* SPDX-License-Identifier: BSD-2-Clause */
/* stream.h - one direction of a connection as a byte buffer, built record by record. */
#ifndef STREAMS_STREAM_H
#define STREAMS_STREAM_H

#include <stdlib.h>
#include <string.h>

#include "../unit.h"

struct stream {
	uint8_t *data;
	uint32_t len;
	uint32_t room; /* allocated */
};

/* xorshift64* with a fixed seed: every run makes the same streams and the same cuts. */
static uint64_t random_state = 0x9e3779b97f4a7c15u;

static inline uint32_t random_below(uint32_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1du >> 32) % n;
}

/* Appends len zero bytes and returns the first of them. */
static inline uint8_t *stream_extend(struct stream *st, uint32_t len)
{
	if (st->len + len > st->room) {
		st->room = (st->len + len) * 2;
		st->data = realloc(st->data, st->room);
		assert_non_null(st->data);
	}
	memset(st->data + st->len, 0, len);
	st->len += len;
	return st->data + st->len - len;
}

static inline void stream_add(struct stream *st, const void *data, uint32_t len)
{
	if (len)
		memcpy(stream_extend(st, len), data, len);
}

static inline void stream_add_text(struct stream *st, const char *text)
{
	stream_add(st, text, strlen(text));
}

/* Overwrites `bytes` bytes at `at` with a big-endian number. */
static inline void stream_set_number(struct stream *st, uint32_t at, uint32_t v, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		st->data[at + i] = v >> 8 * (bytes - 1 - i);
}

static inline void stream_add_number(struct stream *st, uint32_t v, uint32_t bytes)
{
	stream_extend(st, bytes);
	stream_set_number(st, st->len - bytes, v, bytes);
}

/* A record header of version 3.minor. */
static inline void stream_add_header(struct stream *st, uint8_t type, uint8_t minor, uint16_t len)
{
	uint8_t h[] = {type, 3, minor, len >> 8, len & 0xff};

	stream_add(st, h, sizeof(h));
}

/* A record of version 3.3 with random content. */
static inline void stream_add_record(struct stream *st, uint8_t type, uint16_t len)
{
	uint8_t *body;

	stream_add_header(st, type, 3, len);
	body = stream_extend(st, len);
	for (uint32_t i = 0; i < len; i++)
		body[i] = random_below(256);
}

static inline void stream_free(struct stream *st)
{
	free(st->data);
	*st = (struct stream){};
}

#endif
