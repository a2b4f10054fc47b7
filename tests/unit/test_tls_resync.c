/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_resync.c - the record walk of include/tls/record.h when segments repeat, overlap, are late or missing.
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

/* A segment that repeats old bytes and goes on: only the new ones are read. */
static void overlap_is_read_from_the_first_new_byte(void **state)
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

static void keepalive_of_one_old_byte_changes_nothing(void **state)
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
 * Every hole in a stream of three records and plaintext: one that hides no header byte leaves the
 * verdict as it is without it; one that hides any loses sync, and then nothing is called plaintext.
 */
static void hole_keeps_sync_unless_it_hides_a_header(void **state)
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

static void swapped_segments_inside_a_record_keep_sync(void **state)
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

#define PIECES 200

/* What the test knows of a stream in pieces. */
struct pieces {
	struct stream st;
	uint32_t at[PIECES + 1]; /* where each begins; the last is the stream's end */
	uint32_t n;
};

/* Application data of random lengths, cut at random but, except before piece `split`, not in a header. */
static void pieces_make(struct pieces *p, uint32_t split)
{
	uint32_t headers[PIECES], count = 0;

	*p = (struct pieces){};
	for (int i = 0; i < 30; i++) {
		headers[count++] = p->st.len;
		stream_add_record(&p->st, TLS_APPLICATION_DATA,
				  1 + random_below(i % 3 ? 400 : 9000));
	}
	for (uint32_t at = 0; at < p->st.len && p->n < PIECES; p->n++) {
		uint32_t end = at + 1 + random_below(3000);

		for (uint32_t h = 0; h < count && p->n + 1 != split; h++)
			if (end > headers[h] && end < headers[h] + TLS_HEADER_LEN)
				end = headers[h] + TLS_HEADER_LEN;
		p->at[p->n] = at;
		at = end < p->st.len ? end : p->st.len;
	}
	p->at[p->n] = p->st.len;
}

static void pieces_feed(const struct pieces *p, struct tls_stream *s, uint32_t i, uint32_t *unread)
{
	struct segment seg = {.data = p->st.data + p->at[i], .len = p->at[i + 1] - p->at[i]};
	uint32_t bad = UINT32_MAX;
	__u64 where = NEVER;
	int seen = tls_feed(s, &seg, ISN + p->at[i], HEADROOM, seg.len, &bad, &where, unread);

	assert_int_not_equal(seen, TLS_SEEN_PLAIN);
	assert_int_not_equal(seen, TLS_SEEN_BROKEN);
}

/* A run of pieces that comes later than some that follow it, mixed with them: nothing stays unread. */
static void run_of_late_segments_is_read_in_the_end(void **state)
{
	for (int round = 0; round < 3000; round++) {
		uint32_t from = 1 + random_below(20), late = 1 + random_below(4);
		uint32_t before = 1 + random_below(6), unread = 0, next_late, next;
		struct tls_stream s = begin(1), want = begin(1);
		struct pieces p;

		pieces_make(&p, round % 4 ? UINT32_MAX : from + late);
		if (from + late + before >= p.n) {
			stream_free(&p.st);
			continue;
		}
		for (uint32_t i = 0; i < p.n; i++)
			pieces_feed(&p, &want, i, &unread);
		assert_int_equal(unread, 0);
		for (uint32_t i = 0; i < from; i++)
			pieces_feed(&p, &s, i, &unread);
		next = from + late;
		for (next_late = from; next < p.n || next_late < from + late;) {
			int ahead = next < from + late + before || next_late == from + late;

			if (ahead || random_below(2)) {
				if (next < p.n)
					pieces_feed(&p, &s, next++, &unread);
				else
					pieces_feed(&p, &s, next_late++, &unread);
			} else {
				pieces_feed(&p, &s, next_late++, &unread);
			}
		}
		assert_int_equal(unread, 0);
		assert_int_equal(s.hole, 0);
		check_end(&s, &want, NEVER, NEVER);
		stream_free(&p.st);
	}
}

static void plaintext_in_a_late_segment_is_told_at_its_offset(void **state)
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

/* The walk behind the hole went on from what only looked like a header: the hole's end tells. */
static void header_found_inside_a_record_is_given_up(void **state)
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

/* A stream that lost its place, and n good headers after the loss. */
static struct tls_stream lost_then(uint32_t headers, struct stream *st)
{
	struct tls_stream s = begin(1);
	uint32_t hole;

	stream_add_handshake(st);
	hole = st->len;
	stream_add_handshake(st); /* unseen */
	feed(&s, st, ISN, 0, hole, NULL);
	for (uint32_t i = 0; i < headers; i++) {
		uint32_t at = st->len;

		stream_add_record(st, TLS_APPLICATION_DATA, 20 + i);
		assert_int_equal(feed(&s, st, ISN, at, st->len - at, NULL), TLS_SEEN_RECORDS);
	}
	return s;
}

static void lost_stream_never_alerts_on_garbage(void **state)
{
	for (size_t i = 0; i < PLAINTEXTS; i++) {
		struct stream st = {};
		struct tls_stream s = lost_then(0, &st);
		uint32_t at = st.len;

		stream_add_text(&st, plaintexts[i]);
		for (int k = 0; k < 3; k++)
			assert_int_equal(feed(&s, &st, ISN + k * 100, at, st.len - at, NULL),
					 k ? TLS_SEEN_UNSYNCED : TLS_SEEN_PENDING);
		assert_int_equal(s.sync, TLS_UNSYNCED);
		stream_free(&st);
	}
}

/* The chain is three headers: a bad fourth is plaintext, a bad one before only loses the place
 * again. */
static void regained_stream_alerts_only_after_its_chain_held(void **state)
{
	for (uint32_t headers = 1; headers <= TLS_CHAIN_CONFIRM + 2; headers++) {
		struct stream st = {};
		struct tls_stream s = lost_then(headers, &st);
		uint32_t at = st.len;
		uint64_t plain_at = NEVER;
		int held = headers >= 3;

		assert_int_equal(s.sync, TLS_SYNCED);
		stream_add_text(&st, "PING\r\n");
		assert_int_equal(feed(&s, &st, ISN, at, st.len - at, &plain_at),
				 held ? TLS_SEEN_PLAIN : TLS_SEEN_PENDING);
		assert_int_equal(plain_at, held ? at : NEVER);
		assert_int_equal(s.sync, held ? TLS_BROKEN : TLS_UNSYNCED);
		stream_free(&st);
	}
}

/* The same, with chain and plaintext in one segment. */
static void chain_that_breaks_in_its_first_segment_is_no_chain(void **state)
{
	for (uint32_t headers = 0; headers <= TLS_CHAIN_CONFIRM + 2; headers++) {
		struct stream st = {};
		struct tls_stream s = lost_then(0, &st);
		uint32_t at = st.len;

		for (uint32_t i = 0; i < headers; i++)
			stream_add_record(&st, TLS_APPLICATION_DATA, 7);
		stream_add_text(&st, "PING\r\n");
		assert_int_equal(feed(&s, &st, ISN, at, st.len - at, NULL), TLS_SEEN_PENDING);
		assert_int_equal(s.sync, TLS_UNSYNCED);
		stream_free(&st);
	}
}

static void stream_lost_twice_must_prove_its_chain_again(void **state)
{
	struct stream st = {};
	struct tls_stream s = lost_then(TLS_CHAIN_CONFIRM + 1, &st);
	uint32_t at;

	stream_add_record(&st, TLS_APPLICATION_DATA, 30); /* unseen */
	at = st.len;
	stream_add_record(&st, TLS_APPLICATION_DATA, 30);
	assert_int_equal(feed(&s, &st, ISN, at, st.len - at, NULL), TLS_SEEN_RECORDS);
	at = st.len;
	stream_add_text(&st, "PING\r\n");
	assert_int_equal(feed(&s, &st, ISN, at, st.len - at, NULL), TLS_SEEN_PENDING);
	stream_free(&st);
}

static void late_stream_regains_its_place_where_a_segment_begins_a_record(void **state)
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

/* An unsynced stream fed single bytes has no whole header in any segment: it stays unsynced. */
static void part_of_a_header_regains_nothing(void **state)
{
	struct tls_stream s = begin(0);
	struct stream st = {};

	stream_add_handshake(&st);
	for (uint32_t at = 0; at < st.len; at++)
		assert_int_equal(feed(&s, &st, ISN, at, 1, NULL), TLS_SEEN_UNSYNCED);
	stream_free(&st);
}

/*
 * A stream some of whose bytes come another way (MPTCP): what comes this way is counted, as unread, and judged no
 * more; not what is skipped, which another way has. Nothing brings it back, not a chain of records either.
 */
static void woven_stream_is_counted_and_never_judged(void **state)
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
		assert_true(s.past); /* nothing more of a handshake is handed on */
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
					 TLS_SEEN_NOTHING); /* again */
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

/* What was kept of a hole, or of a header split between segments, is of no stream any more. */
static void a_stream_found_woven_forgets_where_it_stood(void **state)
{
	struct stream st = {};
	struct tls_stream s = lost_then(1, &st);
	uint32_t at = st.len;

	assert_true(s.hole);
	stream_add_header(&st, TLS_APPLICATION_DATA, 3, 9);
	feed(&s, &st, ISN, at, 3, NULL);
	assert_int_equal(s.have, 3);
	tls_multipath(&s);
	assert_false(s.hole);
	assert_false(s.have || s.left || s.confirm || s.hdr);
	/* the hole is filled: too late */
	assert_int_equal(feed(&s, &st, ISN, 0, at, NULL), TLS_SEEN_NOTHING);
	assert_int_equal(s.sync, TLS_MULTIPATH);
	stream_free(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retransmission_changes_nothing),
		cmocka_unit_test(empty_segment_changes_nothing),
		cmocka_unit_test(overlap_is_read_from_the_first_new_byte),
		cmocka_unit_test(keepalive_of_one_old_byte_changes_nothing),
		cmocka_unit_test(hole_keeps_sync_unless_it_hides_a_header),
		cmocka_unit_test(swapped_segments_inside_a_record_keep_sync),
		cmocka_unit_test(run_of_late_segments_is_read_in_the_end),
		cmocka_unit_test(plaintext_in_a_late_segment_is_told_at_its_offset),
		cmocka_unit_test(header_found_inside_a_record_is_given_up),
		cmocka_unit_test(lost_stream_never_alerts_on_garbage),
		cmocka_unit_test(regained_stream_alerts_only_after_its_chain_held),
		cmocka_unit_test(chain_that_breaks_in_its_first_segment_is_no_chain),
		cmocka_unit_test(stream_lost_twice_must_prove_its_chain_again),
		cmocka_unit_test(late_stream_regains_its_place_where_a_segment_begins_a_record),
		cmocka_unit_test(part_of_a_header_regains_nothing),
		cmocka_unit_test(woven_stream_is_counted_and_never_judged),
		cmocka_unit_test(a_stream_found_woven_forgets_where_it_stood),
	};

	return cmocka_run_group_tests_name("tls_resync", tests, NULL, NULL);
}
