/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_mutated.c - the record walk of include/tls/record.h on many random streams whose segments
 * arrive lost and retransmitted, reordered, duplicated or overlapping. A stream of records is never
 * called plaintext, and an undisturbed one leaves nothing unread. Plaintext behind the records is found
 * at its offset, or its bytes are counted as unread.
 *
 * Environment: STREAMS is the number of streams (default 20000); SEED repeats a run, which prints it.
 */
#include <stdio.h>

#include "streams/load.h"
#include "streams/stream.h"

#include "tls/record.h"

#define RECORDS_MAX_LEN 20000
#define SEGMENTS_MAX 512

struct segment {
	uint32_t at, len;
};

struct transfer {
	struct stream st;
	uint32_t records;
	uint32_t plain_at; /* where plaintext begins; st.len if there is none */
	struct segment sent[SEGMENTS_MAX];
	uint32_t segments;
};

static void add_record(struct transfer *t, uint8_t type, uint32_t len)
{
	stream_add_record(&t->st, type, len);
	t->records++;
}

/* A handshake, then data in records of every size. */
static void make_stream(struct transfer *t)
{
	uint32_t n = 1 + random_below(24);

	t->st.len = t->records = 0;
	add_record(t, TLS_HANDSHAKE, 40 + random_below(600));
	add_record(t, TLS_CHANGE_CIPHER_SPEC, 1);
	for (uint32_t i = 0; i < n && t->st.len < RECORDS_MAX_LEN; i++)
		add_record(t, random_below(30) ? TLS_APPLICATION_DATA : TLS_ALERT,
			   1 + (random_below(4) ? random_below(200) : random_below(4000)));
	t->plain_at = t->st.len;
}

static void add_plaintext(struct transfer *t)
{
	for (int i = 0; i < 4; i++)
		stream_add_text(&t->st, "*2\r\n$3\r\nGET\r\n$4\r\nnone\r\n");
}

static void cut(struct transfer *t)
{
	uint32_t most = 1 + (random_below(8) ? random_below(1448) : random_below(20)), at = 0;

	if (t->st.len / most > SEGMENTS_MAX / 8)
		most = t->st.len / (SEGMENTS_MAX / 8) + 1;
	for (t->segments = 0; at < t->st.len && t->segments < SEGMENTS_MAX / 2; t->segments++) {
		uint32_t n = 1 + random_below(most);

		if (n > t->st.len - at || t->segments == SEGMENTS_MAX / 2 - 1)
			n = t->st.len - at;
		t->sent[t->segments] = (struct segment){at, n};
		at += n;
	}
}

static void insert(struct transfer *t, uint32_t where, struct segment s)
{
	if (t->segments == SEGMENTS_MAX)
		return;
	if (where > t->segments)
		where = t->segments;
	memmove(&t->sent[where + 1], &t->sent[where], (t->segments - where) * sizeof(s));
	t->sent[where] = s;
	t->segments++;
}

/* Up to five disturbances. Every byte still arrives in the end. */
static void disturb(struct transfer *t)
{
	uint32_t times = random_below(6);

	while (times--) {
		uint32_t i = random_below(t->segments), from, to;
		struct segment s = t->sent[i];

		switch (random_below(4)) {
		case 0: /* lost and retransmitted, or overtaken by the next few */
		case 1:
			memmove(&t->sent[i], &t->sent[i + 1], (t->segments - i - 1) * sizeof(s));
			t->segments--;
			insert(t, i + 1 + random_below(random_below(2) ? 3 : 30), s);
			break;
		case 2: /* duplicated */
			insert(t, i + 1 + random_below(10), s);
			break;
		default: /* retransmitted with other boundaries */
			from = s.at > 300 ? s.at - random_below(300) : 0;
			to = s.at + 1 + random_below(s.len);
			insert(t, i + 1 + random_below(10), (struct segment){from, to - from});
			break;
		}
	}
}

struct result {
	uint32_t plain; /* times plaintext was called */
	uint32_t unread, records, sync;
	uint64_t plain_at;
};

/* From a random initial sequence number. */
static struct result feed(const struct transfer *t)
{
	uint32_t isn = random_below(0x7fffffff) * 2u;
	struct tls_stream s = {};
	struct result r = {};

	tls_begin(&s, isn, 1);
	for (uint32_t i = 0; i < t->segments; i++) {
		const struct segment *seg = &t->sent[i];
		uint32_t bad;
		__u64 bad_at = 0;

		if (tls_feed(&s, t->st.data, isn + seg->at, seg->at, seg->len, &bad, &bad_at,
			     &r.unread) == TLS_SEEN_PLAIN) {
			r.plain++;
			r.plain_at = bad_at;
		}
	}
	r.records = s.records;
	r.sync = s.sync;
	return r;
}

static uint32_t streams(void)
{
	const char *n = getenv("STREAMS");

	return n ? strtoul(n, NULL, 10) : 20000;
}

static void records_are_never_called_plaintext(void **state)
{
	static struct transfer t;
	uint64_t bytes = 0, unread = 0, disturbed = 0;

	for (uint32_t i = 0; i < streams(); i++) {
		struct result r;
		uint32_t before;

		make_stream(&t);
		cut(&t);
		r = feed(&t);
		assert_int_equal(r.plain, 0);
		assert_int_equal(r.unread, 0);
		assert_int_equal(r.records, t.records);
		assert_int_equal(r.sync, TLS_SYNCED);
		before = t.segments;
		disturb(&t);
		r = feed(&t);
		assert_int_equal(r.plain, 0);
		assert_true(r.unread <= t.st.len);
		bytes += t.st.len;
		unread += r.unread;
		disturbed += before != t.segments || r.unread;
	}
	stream_free(&t.st);
	printf("# %u streams, %llu bytes; %llu bytes of disturbed streams stayed unread\n",
	       streams(), (unsigned long long)bytes, (unsigned long long)unread);
	assert_true(disturbed > streams() / 4);
}

static void plaintext_behind_records_is_found_or_counted_as_unread(void **state)
{
	static struct transfer t;
	uint32_t found = 0, counted = 0;

	for (uint32_t i = 0; i < streams(); i++) {
		struct result r;

		make_stream(&t);
		add_plaintext(&t);
		cut(&t);
		r = feed(&t);
		assert_int_equal(r.plain, 1);
		assert_int_equal(r.plain_at, t.plain_at);
		disturb(&t);
		r = feed(&t);
		found += r.plain != 0;
		counted += !r.plain;
		if (r.plain)
			assert_int_equal(r.plain_at, t.plain_at);
		else
			assert_true(r.unread || r.sync == TLS_UNSYNCED);
	}
	stream_free(&t.st);
	printf("# disturbed plaintext: %u found at its offset, %u counted as unread\n", found,
	       counted);
	assert_true(found > streams() / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_never_called_plaintext),
		cmocka_unit_test(plaintext_behind_records_is_found_or_counted_as_unread),
	};
	const char *seed = getenv("SEED");

	if (seed)
		random_state = strtoull(seed, NULL, 10);
	printf("# SEED=%llu\n", (unsigned long long)random_state);
	return cmocka_run_group_tests_name("tls_mutated", tests, NULL, NULL);
}
