/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_resync.c - the record walk of include/tls/record.h when segments repeat, overlap, are late or
 * missing: when it keeps its place, when it loses and regains it, and that a stream without a known place
 * is never called plaintext. Also streams that MPTCP splits over several subflows.
 */
#include "streams/cut.h"

static void retransmission_changes_nothing(void **state)
{
	struct stream st = {};

	for (int i = 0; i < 3; i++)
		stream_add_handshake(&st);
	for (uint32_t upto = 0; upto <= st.len; upto++) {
		struct tls_stream s = begin(1), before;

		feed(&s, &st, ISN, 0, upto, NULL);
		before = s;
		for (uint32_t from = 0; from < upto; from++) {
			for (uint32_t end = from + 1; end <= upto; end++) {
				assert_int_equal(feed(&s, &st, ISN, from, end - from, NULL),
						 TLS_SEEN_NOTHING);
			}
		}
		assert_memory_equal(&s, &before, sizeof(s));
	}
	stream_free(&st);
}

static void empty_segment_changes_nothing(void **state)
{
	struct tls_stream s = begin(1), before = s;
	struct stream st = {};

	stream_add_text(&st, "x");
	assert_int_equal(feed(&s, &st, ISN, 0, 0, NULL), TLS_SEEN_NOTHING);
	assert_int_equal(feed(&s, &st, ISN - 1, 0, 0, NULL), TLS_SEEN_NOTHING);
	assert_int_equal(feed(&s, &st, ISN + 1, 0, 0, NULL), TLS_SEEN_NOTHING);
	assert_memory_equal(&s, &before, sizeof(s));
	stream_free(&st);
}

/* A segment of old bytes followed by new ones. */
static void overlapping_segment_is_read_from_its_first_new_byte(void **state)
{
	struct stream st = {};
	uint32_t records = stream_add_handshake(&st), plain = st.len;

	stream_add_text(&st, "PING\r\n");
	for (uint32_t first = 0; first <= plain; first++) {
		for (uint32_t back = 0; back <= first; back++) {
			struct tls_stream s = begin(1);
			uint64_t plain_at = NEVER;

			feed(&s, &st, ISN, 0, first, NULL);
			assert_int_equal(feed(&s, &st, ISN, back, st.len - back, &plain_at),
					 TLS_SEEN_PLAIN);
			assert_int_equal(plain_at, plain);
			assert_int_equal(s.records, records);
			assert_int_equal(s.offset, st.len);
		}
	}
	stream_free(&st);
}

static void keepalive_probe_changes_nothing(void **state)
{
	struct tls_stream s = begin(1);
	struct stream st = {};
	uint8_t garbage = 'x';
	struct stream probe = {.data = &garbage, .len = 1};

	stream_add_handshake(&st);
	feed(&s, &st, ISN, 0, st.len, NULL);
	assert_int_equal(feed(&s, &probe, ISN + st.len - 1, 0, 1, NULL), TLS_SEEN_NOTHING);
	assert_int_equal(s.sync, TLS_SYNCED);
	stream_free(&st);
}

/*
 * Every possible hole in a stream of three records and plaintext. A hole within a record does not change
 * the verdict; one over any header byte loses sync, and then nothing is called plaintext.
 */
static void hole_keeps_sync_unless_it_covers_a_header(void **state)
{
	static const uint16_t lengths[] = {17, 0, 29};
	struct stream st = {};
	uint8_t is_header[256] = {};
	uint32_t plain;

	for (int i = 0; i < 3; i++) {
		memset(is_header + st.len, 1, TLS_HEADER_LEN);
		stream_add_record(&st, TLS_APPLICATION_DATA, lengths[i]);
	}
	plain = st.len;
	stream_add_text(&st, "PING\r\n");
	for (uint32_t from = 0; from < plain; from++) {
		for (uint32_t end = from + 1; end <= plain; end++) {
			int hidden = memchr(is_header + from, 1, end - from) != NULL;
			struct tls_stream s = begin(1);
			uint64_t plain_at = NEVER;
			int seen;

			feed(&s, &st, ISN, 0, from, NULL);
			seen = feed(&s, &st, ISN, end, st.len - end, &plain_at);
			assert_int_equal(seen, hidden ? TLS_SEEN_PENDING : TLS_SEEN_PLAIN);
			assert_int_equal(s.sync, hidden ? TLS_UNSYNCED : TLS_BROKEN);
			assert_int_equal(plain_at, hidden ? NEVER : plain);
			assert_int_equal(s.offset, st.len);
			assert_int_equal(s.next, (uint32_t)(ISN + st.len));
		}
	}
	stream_free(&st);
}

static void reordered_segments_within_a_record_keep_sync(void **state)
{
	struct tls_stream s = begin(1);
	struct stream st = {};

	stream_add_record(&st, TLS_APPLICATION_DATA, 300);
	stream_add_record(&st, TLS_APPLICATION_DATA, 10);
	feed(&s, &st, ISN, 0, 100, NULL);
	assert_int_equal(feed(&s, &st, ISN, 200, 50, NULL), TLS_SEEN_RECORDS);
	assert_int_equal(feed(&s, &st, ISN, 100, 100, NULL), TLS_SEEN_NOTHING);
	assert_int_equal(feed(&s, &st, ISN, 250, st.len - 250, NULL), TLS_SEEN_RECORDS);
	assert_int_equal(s.sync, TLS_SYNCED);
	assert_int_equal(s.records, 2);
	stream_free(&st);
}

#define SEGMENTS 200

/* A stream and where it is cut. */
struct cut_stream {
	struct stream st;
	uint32_t at[SEGMENTS + 1]; /* where each begins; the last is the end of the stream */
	uint32_t n;
};

/* Application data of random lengths, cut at random; within a header only before segment `split`. */
static void make_cut_stream(struct cut_stream *p, uint32_t split)
{
	uint32_t headers[SEGMENTS], count = 0;

	*p = (struct cut_stream){};
	for (int i = 0; i < 30; i++) {
		headers[count++] = p->st.len;
		stream_add_record(&p->st, TLS_APPLICATION_DATA,
				  1 + random_below(i % 3 ? 400 : 9000));
	}
	for (uint32_t at = 0; at < p->st.len && p->n < SEGMENTS; p->n++) {
		uint32_t end = at + 1 + random_below(3000);

		for (uint32_t h = 0; h < count && p->n + 1 != split; h++)
			if (end > headers[h] && end < headers[h] + TLS_HEADER_LEN)
				end = headers[h] + TLS_HEADER_LEN;
		p->at[p->n] = at;
		at = end < p->st.len ? end : p->st.len;
	}
	p->at[p->n] = p->st.len;
}

static void feed_segment(const struct cut_stream *p, struct tls_stream *s, uint32_t i,
			 uint32_t *unread)
{
	struct segment seg = {.data = p->st.data + p->at[i], .len = p->at[i + 1] - p->at[i]};
	uint32_t bad = UINT32_MAX;
	__u64 bad_at = NEVER;
	int seen = tls_feed(s, &seg, ISN + p->at[i], HEADROOM, seg.len, &bad, &bad_at, unread);

	assert_int_not_equal(seen, TLS_SEEN_PLAIN);
	assert_int_not_equal(seen, TLS_SEEN_BROKEN);
}

/* A run of segments arrives after some that follow it, interleaved with others: all are read. */
static void late_segments_are_read_in_the_end(void **state)
{
	for (int round = 0; round < 3000; round++) {
		uint32_t from = 1 + random_below(20), late = 1 + random_below(4);
		uint32_t before = 1 + random_below(6), unread = 0, next_late, next;
		struct tls_stream s = begin(1), want = begin(1);
		struct cut_stream p;

		make_cut_stream(&p, round % 4 ? UINT32_MAX : from + late);
		if (from + late + before >= p.n) {
			stream_free(&p.st);
			continue;
		}
		for (uint32_t i = 0; i < p.n; i++)
			feed_segment(&p, &want, i, &unread);
		assert_int_equal(unread, 0);
		for (uint32_t i = 0; i < from; i++)
			feed_segment(&p, &s, i, &unread);
		next = from + late;
		for (next_late = from; next < p.n || next_late < from + late;) {
			int ahead = next < from + late + before || next_late == from + late;

			if ((ahead || random_below(2)) && next < p.n)
				feed_segment(&p, &s, next++, &unread);
			else
				feed_segment(&p, &s, next_late++, &unread);
		}
		assert_int_equal(unread, 0);
		assert_int_equal(s.hole, 0);
		check_end(&s, &want, NEVER, NEVER);
		stream_free(&p.st);
	}
}

static void plaintext_in_a_late_segment_is_reported_at_its_offset(void **state)
{
	struct tls_stream s = begin(1);
	struct stream st = {};
	uint64_t plain_at = NEVER;
	uint32_t first, text, behind;

	stream_add_record(&st, TLS_APPLICATION_DATA, 100);
	first = st.len;
	stream_add_record(&st, TLS_APPLICATION_DATA, 100);
	text = st.len;
	stream_add_text(&st, "PING\r\n");
	behind = st.len;
	stream_add_record(&st, TLS_APPLICATION_DATA, 100);
	feed(&s, &st, ISN, 0, first, NULL);
	assert_int_equal(feed(&s, &st, ISN, behind, st.len - behind, NULL), TLS_SEEN_RECORDS);
	assert_int_equal(feed(&s, &st, ISN, first, behind - first, &plain_at), TLS_SEEN_PLAIN);
	assert_int_equal(plain_at, text);
	assert_int_equal(s.sync, TLS_BROKEN);
	stream_free(&st);
}

/* Behind the hole, content that looks like a header starts a walk. Filling the hole corrects it. */
static void false_header_within_a_record_is_dropped(void **state)
{
	struct tls_stream s = begin(1);
	struct stream st = {};
	uint32_t hole, cut;

	stream_add_record(&st, TLS_APPLICATION_DATA, 100);
	hole = st.len;
	stream_add_record(&st, TLS_APPLICATION_DATA, 3000);
	cut = hole + 500;
	memcpy(st.data + cut + 50, "\x17\x03\x03\x40\x00", TLS_HEADER_LEN);
	feed(&s, &st, ISN, 0, hole, NULL);
	assert_int_equal(feed(&s, &st, ISN, cut, 1000, NULL), TLS_SEEN_RECORDS);
	assert_int_equal(feed(&s, &st, ISN, hole, cut - hole, NULL), TLS_SEEN_RECORDS);
	assert_int_equal(s.sync, TLS_SYNCED);
	assert_int_equal(s.left, st.len - cut - 1000);
	stream_free(&st);
}

/* Feeds a stream with a hole over its headers, then that many valid records. */
static struct tls_stream lose_sync(uint32_t headers, struct stream *st)
{
	struct tls_stream s = begin(1);
	uint32_t hole;

	stream_add_handshake(st);
	hole = st->len;
	stream_add_handshake(st); /* lost */
	feed(&s, st, ISN, 0, hole, NULL);
	for (uint32_t i = 0; i < headers; i++) {
		uint32_t at = st->len;

		stream_add_record(st, TLS_APPLICATION_DATA, 20 + i);
		assert_int_equal(feed(&s, st, ISN, at, st->len - at, NULL), TLS_SEEN_RECORDS);
	}
	return s;
}

static void unsynced_stream_is_never_called_plaintext(void **state)
{
	for (size_t i = 0; i < PLAINTEXTS; i++) {
		struct stream st = {};
		struct tls_stream s = lose_sync(0, &st);
		uint32_t at = st.len;

		stream_add_text(&st, plaintexts[i]);
		for (int k = 0; k < 3; k++)
			assert_int_equal(feed(&s, &st, ISN + k * 100, at, st.len - at, NULL),
					 k ? TLS_SEEN_UNSYNCED : TLS_SEEN_PENDING);
		assert_int_equal(s.sync, TLS_UNSYNCED);
		stream_free(&st);
	}
}

/* Three valid headers confirm a chain. Plaintext after them is called; before, it only loses sync again. */
static void resynced_stream_calls_plaintext_only_after_a_confirmed_chain(void **state)
{
	for (uint32_t headers = 1; headers <= TLS_CHAIN_CONFIRM + 2; headers++) {
		struct stream st = {};
		struct tls_stream s = lose_sync(headers, &st);
		uint32_t at = st.len;
		uint64_t plain_at = NEVER;
		int confirmed = headers >= 3;

		assert_int_equal(s.sync, TLS_SYNCED);
		stream_add_text(&st, "PING\r\n");
		assert_int_equal(feed(&s, &st, ISN, at, st.len - at, &plain_at),
				 confirmed ? TLS_SEEN_PLAIN : TLS_SEEN_PENDING);
		assert_int_equal(plain_at, confirmed ? at : NEVER);
		assert_int_equal(s.sync, confirmed ? TLS_BROKEN : TLS_UNSYNCED);
		stream_free(&st);
	}
}

/* Chain and plaintext in one segment. */
static void chain_broken_within_its_first_segment_is_not_trusted(void **state)
{
	for (uint32_t headers = 0; headers <= TLS_CHAIN_CONFIRM + 2; headers++) {
		struct stream st = {};
		struct tls_stream s = lose_sync(0, &st);
		uint32_t at = st.len;

		for (uint32_t i = 0; i < headers; i++)
			stream_add_record(&st, TLS_APPLICATION_DATA, 7);
		stream_add_text(&st, "PING\r\n");
		assert_int_equal(feed(&s, &st, ISN, at, st.len - at, NULL), TLS_SEEN_PENDING);
		assert_int_equal(s.sync, TLS_UNSYNCED);
		stream_free(&st);
	}
}

/* A segment of ciphertext that happens to begin like a header, and the one behind it is overtaken. */
static void overtaken_segment_behind_a_false_header_is_not_plaintext(void **state)
{
	struct tls_stream s = begin(0);
	struct stream st = {};
	uint32_t seen, next;

	stream_add_header(&st, TLS_APPLICATION_DATA, 3, 50);
	stream_extend(&st, 20);
	seen = st.len;
	stream_extend(&st, 60);
	next = st.len;
	stream_extend(&st, 60);
	assert_int_equal(feed(&s, &st, ISN, 0, seen, NULL), TLS_SEEN_RECORDS);
	assert_int_equal(feed(&s, &st, ISN, next, st.len - next, NULL), TLS_SEEN_UNSYNCED);
	assert_int_equal(feed(&s, &st, ISN, seen, next - seen, NULL), TLS_SEEN_NOTHING);
	assert_int_equal(s.sync, TLS_UNSYNCED);
	stream_free(&st);
}

static void stream_that_loses_sync_again_needs_a_new_chain(void **state)
{
	struct stream st = {};
	struct tls_stream s = lose_sync(TLS_CHAIN_CONFIRM + 1, &st);
	uint32_t at;

	stream_add_record(&st, TLS_APPLICATION_DATA, 30); /* lost */
	at = st.len;
	stream_add_record(&st, TLS_APPLICATION_DATA, 30);
	assert_int_equal(feed(&s, &st, ISN, at, st.len - at, NULL), TLS_SEEN_RECORDS);
	at = st.len;
	stream_add_text(&st, "PING\r\n");
	assert_int_equal(feed(&s, &st, ISN, at, st.len - at, NULL), TLS_SEEN_PENDING);
	stream_free(&st);
}

static void stream_seen_late_syncs_where_a_segment_begins_with_a_record(void **state)
{
	struct tls_stream s = begin(0);
	struct stream st = {};
	uint64_t plain_at = NEVER;
	uint32_t at;

	assert_int_equal(s.late, 1);
	stream_add_text(&st, "the tail of a record");
	at = st.len;
	assert_int_equal(feed(&s, &st, ISN, 0, at, NULL), TLS_SEEN_UNSYNCED);
	for (int i = 0; i < TLS_CHAIN_CONFIRM; i++)
		stream_add_record(&st, TLS_APPLICATION_DATA, 50);
	assert_int_equal(feed(&s, &st, ISN, at, st.len - at, NULL), TLS_SEEN_RECORDS);
	at = st.len;
	stream_add_text(&st, "PING\r\n");
	assert_int_equal(feed(&s, &st, ISN, at, st.len - at, &plain_at), TLS_SEEN_PLAIN);
	assert_int_equal(plain_at, at);
	assert_int_equal(s.late, 1);
	stream_free(&st);
}

/* No segment of a single byte holds a whole header. */
static void partial_header_does_not_sync(void **state)
{
	struct tls_stream s = begin(0);
	struct stream st = {};

	stream_add_handshake(&st);
	for (uint32_t at = 0; at < st.len; at++)
		assert_int_equal(feed(&s, &st, ISN, at, 1, NULL), TLS_SEEN_UNSYNCED);
	stream_free(&st);
}

/*
 * MPTCP carries some bytes of the stream over another subflow. Those that arrive on this one are counted as
 * unread and no longer evaluated; those it skips are not counted. Nothing syncs the stream again, not even
 * a chain of valid records.
 */
static void multipath_stream_is_counted_and_never_evaluated(void **state)
{
	for (size_t i = 0; i < PLAINTEXTS; i++) {
		struct tls_stream s = begin(1);
		struct stream st = {};
		uint32_t at, unread = 0, bad = UINT32_MAX;
		__u64 plain_at = NEVER;

		stream_add_handshake(&st);
		at = st.len;
		feed(&s, &st, ISN, 0, at, NULL);
		tls_multipath(&s);
		assert_int_equal(s.sync, TLS_MULTIPATH);
		assert_true(s.clear_done); /* no more handshake bytes are passed on */
		stream_add_text(&st, plaintexts[i]);
		for (int k = 0; k < 2 * TLS_CHAIN_CONFIRM; k++)
			stream_add_handshake(&st);
		stream_add_text(&st, plaintexts[i]);
		for (uint32_t from = at, n, skip; from < st.len; from += n) {
			struct segment seg = {.data = st.data + from};
			uint32_t before = unread;

			n = 1 + random_below(60);
			n = n < st.len - from ? n : st.len - from;
			seg.len = n;
			assert_int_equal(tls_feed(&s, &seg, ISN + from, HEADROOM, n, &bad,
						  &plain_at, &unread),
					 TLS_SEEN_UNSYNCED);
			assert_int_equal(unread - before, n);
			assert_int_equal(tls_feed(&s, &seg, ISN + from, HEADROOM, n, &bad,
						  &plain_at, &unread),
					 TLS_SEEN_NOTHING); /* retransmitted */
			assert_int_equal(unread - before, n);
			skip = random_below(20);
			from += from + n + skip < st.len ? skip : 0;
		}
		assert_int_equal(s.sync, TLS_MULTIPATH);
		assert_int_equal(s.records, 3);
		assert_int_equal(s.offset, st.len);
		assert_int_equal(s.next, (uint32_t)(ISN + st.len));
		assert_int_equal(bad, UINT32_MAX);
		stream_free(&st);
	}
}

/* Neither a hole nor a header split between segments matters once the stream is multipath. */
static void stream_found_to_be_multipath_drops_its_parse_state(void **state)
{
	struct stream st = {};
	struct tls_stream s = lose_sync(1, &st);
	uint32_t at = st.len;

	assert_true(s.hole);
	stream_add_header(&st, TLS_APPLICATION_DATA, 3, 9);
	feed(&s, &st, ISN, at, 3, NULL);
	assert_int_equal(s.have, 3);
	tls_multipath(&s);
	assert_false(s.hole);
	assert_false(s.have || s.left || s.confirm || s.hdr);
	/* filling the hole changes nothing */
	assert_int_equal(feed(&s, &st, ISN, 0, at, NULL), TLS_SEEN_NOTHING);
	assert_int_equal(s.sync, TLS_MULTIPATH);
	stream_free(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retransmission_changes_nothing),
		cmocka_unit_test(empty_segment_changes_nothing),
		cmocka_unit_test(overlapping_segment_is_read_from_its_first_new_byte),
		cmocka_unit_test(keepalive_probe_changes_nothing),
		cmocka_unit_test(hole_keeps_sync_unless_it_covers_a_header),
		cmocka_unit_test(reordered_segments_within_a_record_keep_sync),
		cmocka_unit_test(late_segments_are_read_in_the_end),
		cmocka_unit_test(plaintext_in_a_late_segment_is_reported_at_its_offset),
		cmocka_unit_test(false_header_within_a_record_is_dropped),
		cmocka_unit_test(unsynced_stream_is_never_called_plaintext),
		cmocka_unit_test(resynced_stream_calls_plaintext_only_after_a_confirmed_chain),
		cmocka_unit_test(chain_broken_within_its_first_segment_is_not_trusted),
		cmocka_unit_test(overtaken_segment_behind_a_false_header_is_not_plaintext),
		cmocka_unit_test(stream_that_loses_sync_again_needs_a_new_chain),
		cmocka_unit_test(stream_seen_late_syncs_where_a_segment_begins_with_a_record),
		cmocka_unit_test(partial_header_does_not_sync),
		cmocka_unit_test(multipath_stream_is_counted_and_never_evaluated),
		cmocka_unit_test(stream_found_to_be_multipath_drops_its_parse_state),
	};

	return cmocka_run_group_tests_name("tls_resync", tests, NULL, NULL);
}
