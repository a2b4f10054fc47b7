/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_mutated.c - a great many connections' worth of segments, lost, sent again, swapped, doubled, cut anew
 * and overlapping, as networks do: a stream of records is never called plaintext, and where nothing was
 * disturbed nothing stays unread. The twin puts plaintext behind the records: it is called, or its bytes are
 * counted as unread.
 *
 * STREAMS says how many (default 20000); the seed is printed, SEED sets it.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/record.h"

#define STREAM_ROOM 40000
#define SEGMENTS_MAX 512

static inline __u64 tls_load(void *ctx, __u32 off, __u32 n)
{
	const uint8_t *b = ctx;
	__u64 v = 0;

	for (__u32 i = 0; i < n; i++)
		v |= (__u64)b[off + i] << (8 * i);
	return v;
}

static uint64_t random_state;

/* xorshift64*, enough to strew with. */
static uint32_t rnd(uint32_t below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1dull) >> 33) % below;
}

struct piece {
	uint32_t at, len;
};

struct run {
	uint8_t bytes[STREAM_ROOM];
	uint32_t len, records;
	uint32_t plain_at; /* where plaintext begins, len if there is none */
	struct piece sent[SEGMENTS_MAX];
	uint32_t segments;
};

static void add_record(struct run *r, uint8_t type, uint32_t len)
{
	uint8_t *p = r->bytes + r->len;

	p[0] = type;
	p[1] = p[2] = 3;
	p[3] = len >> 8;
	p[4] = len;
	for (uint32_t i = 0; i < len; i++)
		p[5 + i] = rnd(256);
	r->len += 5 + len;
	r->records++;
}

/* A handshake, then data in records of every size. */
static void make_stream(struct run *r)
{
	uint32_t n = 1 + rnd(24);

	r->len = r->records = 0;
	add_record(r, TLS_HANDSHAKE, 40 + rnd(600));
	add_record(r, TLS_CHANGE_CIPHER_SPEC, 1);
	for (uint32_t i = 0; i < n && r->len < 20000; i++)
		add_record(r, rnd(30) ? TLS_APPLICATION_DATA : TLS_ALERT,
			   1 + (rnd(4) ? rnd(200) : rnd(4000)));
	r->plain_at = r->len;
}

static void add_plaintext(struct run *r)
{
	static const char text[] = "*2\r\n$3\r\nGET\r\n$4\r\nnone\r\n";

	for (int i = 0; i < 4; i++) {
		memcpy(r->bytes + r->len, text, sizeof(text) - 1);
		r->len += sizeof(text) - 1;
	}
}

static void cut(struct run *r)
{
	uint32_t most = 1 + (rnd(8) ? rnd(1448) : rnd(20)), at = 0;

	if (r->len / most > SEGMENTS_MAX / 8)
		most = r->len / (SEGMENTS_MAX / 8) + 1;
	for (r->segments = 0; at < r->len && r->segments < SEGMENTS_MAX / 2; r->segments++) {
		uint32_t n = 1 + rnd(most);

		if (n > r->len - at || r->segments == SEGMENTS_MAX / 2 - 1)
			n = r->len - at;
		r->sent[r->segments] = (struct piece){at, n};
		at += n;
	}
}

static void insert(struct run *r, uint32_t where, struct piece p)
{
	if (r->segments == SEGMENTS_MAX)
		return;
	if (where > r->segments)
		where = r->segments;
	memmove(&r->sent[where + 1], &r->sent[where], (r->segments - where) * sizeof(p));
	r->sent[where] = p;
	r->segments++;
}

/* Each disturbance: late, doubled, overlapping. In the end every byte has arrived. */
static void disturb(struct run *r)
{
	uint32_t times = rnd(6);

	while (times--) {
		uint32_t i = rnd(r->segments), from, to;
		struct piece p = r->sent[i];

		switch (rnd(4)) {
		case 0: /* lost, and sent again later */
		case 1: /* overtaken by the next few */
			memmove(&r->sent[i], &r->sent[i + 1], (r->segments - i - 1) * sizeof(p));
			r->segments--;
			insert(r, i + 1 + rnd(rnd(2) ? 3 : 30), p);
			break;
		case 2: /* doubled */
			insert(r, i + 1 + rnd(10), p);
			break;
		default: /* sent again, cut anew */
			from = p.at > 300 ? p.at - rnd(300) : 0;
			to = p.at + 1 + rnd(p.len);
			insert(r, i + 1 + rnd(10), (struct piece){from, to - from});
			break;
		}
	}
}

struct result {
	uint32_t plain, unread, records, sync;
	uint64_t bad_at;
};

static struct result feed(const struct run *r, uint32_t isn)
{
	struct tls_stream s = {};
	struct result to = {};

	tls_begin(&s, isn, 1);
	for (uint32_t i = 0; i < r->segments; i++) {
		uint32_t bad;
		__u64 bad_at = 0;

		if (tls_feed(&s, (void *)(r->bytes), isn + r->sent[i].at, r->sent[i].at,
			     r->sent[i].len, &bad, &bad_at, &to.unread) == TLS_SEEN_PLAIN) {
			to.plain++;
			to.bad_at = bad_at;
		}
	}
	to.records = s.records;
	to.sync = s.sync;
	return to;
}

static uint32_t streams(void)
{
	const char *n = getenv("STREAMS");

	return n ? strtoul(n, NULL, 10) : 20000;
}

static void records_are_never_called_plaintext(void **state)
{
	static struct run r;
	uint64_t bytes = 0, unread = 0, disturbed = 0;

	for (uint32_t i = 0; i < streams(); i++) {
		struct result to;
		uint32_t before;

		make_stream(&r);
		cut(&r);
		to = feed(&r, rnd(0x7fffffff) * 2u);
		assert_int_equal(to.plain, 0);
		assert_int_equal(to.unread, 0);
		assert_int_equal(to.records, r.records);
		assert_int_equal(to.sync, TLS_SYNCED);
		before = r.segments;
		disturb(&r);
		to = feed(&r, rnd(0x7fffffff) * 2u);
		assert_int_equal(to.plain, 0);
		assert_true(to.unread <= r.len);
		bytes += r.len;
		unread += to.unread;
		disturbed += before != r.segments || to.unread;
	}
	printf("# %u streams, %llu bytes; disturbed, %llu of them stayed unread\n", streams(),
	       (unsigned long long)bytes, (unsigned long long)unread);
	assert_true(disturbed > streams() / 4);
}

static void plaintext_behind_records_is_called_or_counted(void **state)
{
	static struct run r;
	uint32_t called = 0, counted = 0;

	for (uint32_t i = 0; i < streams(); i++) {
		struct result to;

		make_stream(&r);
		add_plaintext(&r);
		cut(&r);
		to = feed(&r, rnd(0x7fffffff) * 2u);
		assert_int_equal(to.plain, 1);
		assert_int_equal(to.bad_at, r.plain_at);
		disturb(&r);
		to = feed(&r, rnd(0x7fffffff) * 2u);
		called += to.plain != 0;
		counted += !to.plain;
		if (to.plain)
			assert_int_equal(to.bad_at, r.plain_at);
		else
			assert_true(to.unread || to.sync == TLS_UNSYNCED);
	}
	printf("# disturbed plaintext: %u called with its exact place, %u counted as unread\n",
	       called, counted);
	assert_true(called > streams() / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_never_called_plaintext),
		cmocka_unit_test(plaintext_behind_records_is_called_or_counted),
	};
	const char *seed = getenv("SEED");

	random_state = seed ? strtoull(seed, NULL, 10) : 0x9e3779b97f4a7c15ull;
	printf("# SEED=%llu\n", (unsigned long long)random_state);
	return cmocka_run_group_tests_name("tls_mutated", tests, NULL, NULL);
}
