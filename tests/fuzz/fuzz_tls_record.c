/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_tls_record.c - libFuzzer on the record walk of include/tls/record.h.
 *
 * The input is a small program that generates the stream, so that chains of valid headers are not left to
 * chance; see build(). Invariants:
 *
 *  - nothing is read outside the segment (each is an allocation of its own size, for ASan);
 *  - in order, a stream has the same verdict, first bad byte and state however it is cut, and an
 *    independent walk over all of it agrees;
 *  - with holes, repeats and overlaps, the state stays within bounds, a broken stream stays broken, and
 *    plaintext is only called where the position of the next header was known;
 *  - a segment takes no more steps than headers fit in it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TLS_WALK_ALL(w)                                                                            \
	do {                                                                                       \
		steps++;                                                                           \
	} while (!tls_step(w))

static uint32_t steps;

#include "tls/record.h"

#define STREAM_ROOM 65536
#define HEADROOM 20
#define PIECES_MAX 256 /* more take time and find nothing new */
#define NEVER UINT64_MAX

struct input {
	const uint8_t *data;
	size_t len;
};

/* What tls_load may read: len bytes at HEADROOM. */
struct segment {
	uint8_t *data;
	uint32_t len;
};

static void check(int ok)
{
	if (!ok)
		__builtin_trap();
}

static inline __u64 tls_load(void *ctx, __u32 off, __u32 n)
{
	const struct segment *seg = ctx;
	__u64 v = 0;

	check(n >= 1 && n <= TLS_HEADER_LEN);
	check(off >= HEADROOM && off - HEADROOM + n <= seg->len);
	for (__u32 i = 0; i < n; i++)
		v |= (__u64)seg->data[off - HEADROOM + i] << (8 * i);
	return v;
}

static uint32_t take(struct input *in, uint32_t bytes)
{
	uint32_t v = 0;

	while (bytes--) {
		v <<= 8;
		if (in->len) {
			v |= *in->data++;
			in->len--;
		}
	}
	return v;
}

/* Op byte: 0..199 a valid record, 200..229 any header, above that raw bytes. */
static uint32_t build(struct input *in, uint8_t *stream)
{
	uint32_t len = 0;

	while (in->len) {
		uint32_t op = take(in, 1), body;

		if (len + TLS_HEADER_LEN + TLS_RECORD_MAX > STREAM_ROOM)
			break;
		if (op < 200) {
			body = op % 8 ? op % 64 : take(in, 2) % (TLS_RECORD_MAX + 1);
			stream[len++] = TLS_ALERT + op % 4;
			stream[len++] = 3;
			stream[len++] = op % 5;
			if (!body && op % 4 != TLS_APPLICATION_DATA - TLS_ALERT)
				body = 1;
			stream[len++] = body >> 8;
			stream[len++] = body;
			memset(stream + len, op, body);
			len += body;
		} else if (op < 230) {
			for (int i = 0; i < TLS_HEADER_LEN; i++)
				stream[len++] = take(in, 1);
		} else {
			for (body = op - 229; body; body--)
				stream[len++] = take(in, 1);
		}
	}
	return len;
}

/* May a record of that type and size follow the handshake records before it? Clears *ordered once any may. */
static int in_sequence(uint8_t type, uint32_t size, uint32_t handshakes, int *ordered)
{
	if (!*ordered || type == 22 || (type == 21 && size == 2))
		return 1;
	*ordered = 0;
	return handshakes && (type == 23 || type == 24 || (type == 20 && size == 1));
}

/*
 * An independent implementation: where the first invalid header begins, and how many were valid. ordered: the
 * stream has to begin with a handshake.
 */
static uint64_t reference(const uint8_t *b, uint32_t len, int ordered, uint32_t *records)
{
	uint32_t at = 0, size, handshakes = 0;

	for (*records = 0; at < len; ++*records) {
		uint32_t have = len - at;

		if (b[at] < 20 || b[at] > 24 || (have > 1 && b[at + 1] != 3) ||
		    (have > 2 && b[at + 2] > 4) || (have > 3 && b[at + 3] > 0x48))
			return at;
		if (have < 5)
			break;
		size = b[at + 3] * 256 + b[at + 4];
		if (size > 18432 || (!size && b[at] != 23) || (size > 320 && b[at] == 20))
			return at;
		if (!in_sequence(b[at], size, handshakes, &ordered))
			return at;
		handshakes += b[at] == 22;
		at += 5 + size;
	}
	return NEVER;
}

static void check_state(const struct tls_stream *s)
{
	check(s->sync == TLS_SYNCED || s->sync == TLS_UNSYNCED || s->sync == TLS_BROKEN);
	check(s->left <= TLS_RECORD_MAX);
	check(s->have < TLS_HEADER_LEN);
	check(!s->left || !s->have);
	check(s->confirm <= TLS_CHAIN_CONFIRM);
	check(s->order <= TLS_ORDER_WRONG && (s->order < TLS_ORDER_DATA || s->sync == TLS_BROKEN));
	if (s->sync != TLS_BROKEN)
		check(!(s->hdr >> (8 * s->have)));
}

static uint64_t feed(struct tls_stream *s, const uint8_t *stream, uint32_t isn, uint32_t at,
		     uint32_t len)
{
	struct segment seg = {.data = malloc(len ? len : 1), .len = len};
	struct tls_stream before = *s;
	uint32_t bad = UINT32_MAX, unread = 0;
	__u64 bad_at = NEVER;
	int seen;

	memcpy(seg.data, stream + at, len);
	steps = 0;
	seen = tls_feed(s, &seg, isn + at, HEADROOM, len, &bad, &bad_at, &unread);
	free(seg.data);

	check_state(s);
	check(steps <= len / TLS_HEADER_LEN + 2);
	check((seen == TLS_SEEN_PLAIN) == (bad_at != NEVER));
	check((seen == TLS_SEEN_PLAIN) == (bad >= HEADROOM && bad < HEADROOM + len));
	check(s->offset - before.offset == (uint32_t)(s->next - before.next));
	switch (seen) {
	case TLS_SEEN_NOTHING:
		check(!memcmp(s, &before, sizeof(*s)));
		break;
	case TLS_SEEN_PLAIN:
		check(s->sync == TLS_BROKEN);
		if (before.hole)
			break;
		check(before.sync == TLS_SYNCED);
		check(s->records - before.records >= before.confirm);
		check(bad_at + TLS_HEADER_LEN > before.offset && bad_at < s->offset);
		break;
	case TLS_SEEN_BROKEN:
		check(before.sync == TLS_BROKEN);
		break;
	case TLS_SEEN_UNSYNCED:
		check(s->sync == TLS_UNSYNCED || before.hole);
		break;
	case TLS_SEEN_PENDING:
		check(s->sync == TLS_UNSYNCED && s->hole);
		break;
	case TLS_SEEN_RECORDS:
		check(s->sync == TLS_SYNCED || before.hole);
		break;
	default:
		check(0);
	}
	check(before.sync != TLS_BROKEN || s->sync == TLS_BROKEN);
	return bad_at;
}

static void in_order(struct input *in, const uint8_t *stream, uint32_t len, uint32_t isn)
{
	struct tls_stream uncut = {}, cut = {};
	uint64_t want, bad_at = NEVER, got;
	uint32_t records, at = 0, pieces = 0, most = 1 + take(in, 1) * 8;
	int ordered = most & 8;

	tls_begin(&uncut, isn, 1);
	tls_begin(&cut, isn, 1);
	if (ordered) {
		tls_expect_handshake(&uncut);
		tls_expect_handshake(&cut);
	}
	want = feed(&uncut, stream, isn, 0, len);
	while (at < len) {
		uint32_t piece = 1 + (in->len ? take(in, 1) * 7 : most) % most;

		if (piece > len - at || ++pieces == PIECES_MAX)
			piece = len - at;
		got = feed(&cut, stream, isn, at, piece);
		if (got != NEVER)
			bad_at = got;
		at += piece;
	}
	check(want == reference(stream, len, ordered, &records));
	check(want == bad_at);
	check(uncut.sync == (want == NEVER ? TLS_SYNCED : TLS_BROKEN));
	check(uncut.records == records && cut.records == records);
	check(uncut.sync == cut.sync && uncut.next == cut.next && uncut.offset == cut.offset);
	check(want != NEVER || !memcmp(&uncut, &cut, sizeof(uncut)));
}

static void out_of_order(struct input *in, const uint8_t *stream, uint32_t len, uint32_t isn)
{
	struct tls_stream s = {};
	int from_start = take(in, 1) & 1;

	tls_begin(&s, isn, from_start);
	if (from_start && isn & 2)
		tls_expect_handshake(&s);
	while (in->len) {
		uint32_t at = take(in, 2) % (len + 1), size = take(in, 2) % (len + 1);

		feed(&s, stream, isn + take(in, 1) % 8 * 0x20000000u, at,
		     size < len - at ? size : len - at);
	}
	check(s.late == !from_start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t stream[STREAM_ROOM + 64];
	struct input in = {.data = data, .len = size}, program;
	uint32_t isn = take(&in, 4), len, part = in.len / 2;

	program = (struct input){.data = in.data, .len = part};
	in.data += part;
	in.len -= part;
	len = build(&program, stream);
	if (isn & 1)
		in_order(&in, stream, len, isn);
	else
		out_of_order(&in, stream, len, isn);
	return 0;
}
