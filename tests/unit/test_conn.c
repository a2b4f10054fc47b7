/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_conn.c - the table of connections, fed with chunks of real OpenSSL handshakes as the kernel passes
 * them on: when a handshake is evaluated, what is forgotten when the table or the reading slots are full,
 * and how a connection is listed. What the reader makes of a handshake is in test_tls_handshake.c.
 */
#include "streams/session.h"

#include "map.h"
#include "model/attempt.h"
#include "model/conn.h"
#include "report/conn_json.h"
#include "report/conn_text.h"
#include "model/rule.h"
#include "tls/facts.h"

#define HELLO_LEN 190 /* no more than the ClientHello; the ServerHello is shorter */

static struct conns cs;
static struct session session; /* TLS 1.2, finished */
static uint8_t peer[4];	       /* remote address of the next chunks */

static int setup(void **state)
{
	memcpy(peer, (uint8_t[]){192, 0, 2, 1}, 4);
	session_init(&session);
	SSL_CTX_set_max_proto_version(session.ctx[CLIENT], TLS1_2_VERSION);
	session_open(&session, NULL);
	assert_true(session_handshake(&session));
	return conns_init(&cs);
}

static int teardown(void **state)
{
	session_free(&session);
	conns_free(&cs);
	return 0;
}

/* A chunk of st, sent by that side of a connection the server accepted. */
static struct conn *chunk_of(uint64_t cookie, const struct stream *st, uint32_t at, uint32_t len,
			     enum side from)
{
	static struct handshake_chunk c;

	c = (struct handshake_chunk){.magic = CHUNK_MAGIC,
				     .instance = 7,
				     .cookie = cookie,
				     .time_ns = 1000 + cookie,
				     .offset = at,
				     .len = len,
				     .opened = OPENED_INBOUND,
				     .flags = from == SERVER ? CHUNK_EGRESS : 0};
	c.ends.remote_ip[10] = c.ends.remote_ip[11] = 0xff;
	memcpy(c.ends.remote_ip + 12, peer, 4);
	memcpy(c.bytes, st->data + at, len);
	assert_true(handshake_chunk_valid(&c, sizeof(c)));
	return conns_chunk(&cs, &c);
}

static struct conn *chunk(uint64_t cookie, enum side from, uint32_t at, uint32_t len)
{
	return chunk_of(cookie, &session.sent[from], at, len, from);
}

static void handshake_is_evaluated_once(void **state)
{
	const uint8_t *header = session.sent[CLIENT].data;
	uint32_t evaluated = 0, hello = 5 + (header[3] << 8 | header[4]);
	struct conn *c = NULL;

	assert_null(chunk(1, CLIENT, 0, 100));
	assert_null(chunk(1, CLIENT, 100, hello - 100));
	for (uint32_t at = 0; at + 50 < session.sent[SERVER].len && at < 1200; at += 50) {
		struct conn *done = chunk(1, SERVER, at, 50);

		evaluated += done != NULL;
		c = done ?: c;
	}
	assert_int_equal(evaluated, 1);
	assert_ptr_equal(c, conns_find(&cs, 1));
	assert_int_equal(c->facts->version, TLS1_2_VERSION);
	assert_int_equal(c->facts->cipher,
			 SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(session.ssl[CLIENT])));
	assert_string_equal(c->facts->sni, SESSION_HOST);
	assert_true(c->has_cert);
	assert_false(c->incomplete);
}

static void missing_chunk_is_noted_and_nothing_is_negotiated(void **state)
{
	assert_null(chunk(1, SERVER, 50, 50));
	assert_true(conns_find(&cs, 1)->incomplete);
	assert_null(chunk(1, SERVER, 0, 90));
	assert_false(conn_negotiated(conns_find(&cs, 1)));
}

static void closed_connection_is_forgotten(void **state)
{
	struct handshake_chunk closed = {.magic = CHUNK_MAGIC, .cookie = 1, .flags = CHUNK_CLOSED};

	chunk(1, CLIENT, 0, 100);
	chunk(2, CLIENT, 0, 100);
	assert_true(handshake_chunk_valid(&closed, CHUNK_CLOSED_LEN));
	assert_false(handshake_chunk_valid(&closed, CHUNK_CLOSED_LEN - 1));
	assert_null(conns_chunk(&cs, &closed));
	assert_null(conns_find(&cs, 1));
	assert_non_null(conns_find(&cs, 2));
	assert_null(conns_chunk(&cs, &closed)); /* an unknown one */
	assert_int_equal(cs.by_cookie.count, 1);
}

static void table_is_bounded(void **state)
{
	for (uint64_t i = 1; i <= CONNS_MAX + 10; i++)
		chunk(i, CLIENT, 0, 60);
	assert_int_equal(cs.by_cookie.count, CONNS_MAX);
	assert_int_equal(cs.forgotten, 10);
	assert_null(conns_find(&cs, 10));
	assert_non_null(conns_find(&cs, 11));
	assert_non_null(conns_find(&cs, CONNS_MAX + 10));
	chunk(11, CLIENT, 60, 60);
	assert_true(conns_find(&cs, 11)->incomplete); /* its reading was evicted within the hello */
}

/* That many connections of the same peer that send one byte and evict the readings of others. */
static void crowd(uint64_t from, uint64_t n)
{
	for (uint64_t other = from; other < from + n; other++)
		chunk(other, CLIENT, 0, 1);
}

static void evicted_client_hello_is_still_evaluated_by_the_server_hello(void **state)
{
	struct conn *c;

	chunk(1, CLIENT, 0, 1);
	crowd(2, 2 * HANDSHAKES_MAX);
	chunk(1, CLIENT, 1, HELLO_LEN - 1);
	crowd(1000, 2 * HANDSHAKES_MAX);
	c = chunk(1, SERVER, 0, 200);
	assert_non_null(c);
	assert_int_equal(c->facts->version, TLS1_2_VERSION);
	assert_true(c->incomplete);
	assert_int_equal(cs.unread, 0);
}

static void evicted_server_hello_is_counted_once_it_continues(void **state)
{
	struct handshake_chunk closed = {.magic = CHUNK_MAGIC, .cookie = 2, .flags = CHUNK_CLOSED};

	for (uint64_t i = 1; i <= 3; i++) {
		chunk(i, CLIENT, 0, HELLO_LEN);
		chunk(i, SERVER, 0, 40);
	}
	crowd(4, 2 * HANDSHAKES_MAX);
	conns_chunk(&cs, &closed);
	assert_int_equal(cs.unread, 0); /* none of the three has continued */
	assert_null(chunk(1, SERVER, 40, 40));
	assert_int_equal(cs.unread, 1);
	assert_null(chunk(1, SERVER, 80, 40));
	assert_null(chunk(3, CLIENT, HELLO_LEN, 10));
	assert_int_equal(cs.unread, 1);
	assert_true(conns_find(&cs, 1)->incomplete);
}

/* Most handshakes that were evaluated are finished: evict their readings first. */
static void evaluated_handshakes_are_evicted_first(void **state)
{
	for (uint64_t i = 1; i <= 20; i++)
		chunk(i, SERVER, 0, 40);
	peer[3] = 2;
	for (uint64_t i = 1000; i < 1000 + 3 * HANDSHAKES_MAX; i++)
		assert_non_null(chunk(i, SERVER, 0, 200));
	for (uint64_t i = 1; i <= 20; i++)
		assert_non_null(chunk(i, SERVER, 40, 160));
	assert_int_equal(cs.unread, 0);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)random() % n;
}

/*
 * One peer, with all of 127/8 as its addresses, opens any number of connections in any state, while twenty
 * others handshake, two at a time each, in chunks of random size. Each of theirs is evaluated, once.
 */
static void one_peer_cannot_evict_the_handshakes_of_others(void **state)
{
	enum { OTHERS = 40 };
	uint32_t seed = (uint32_t)(uintptr_t)*state, at[OTHERS] = {}, evaluated = 0, finished = 0;
	uint64_t cookie[OTHERS], next = 1;

	srandom(seed);
	for (int i = 0; i < OTHERS; i++)
		cookie[i] = next++;
	for (int step = 0; step < 30000; step++) {
		uint32_t i = below(OTHERS), n = 1 + below(30);

		memcpy(peer, (uint8_t[]){127, below(256), below(256), below(256)}, 4);
		for (uint32_t k = below(4); k; k--) {
			if (below(2))
				chunk(next++, CLIENT, 0, 1 + below(100));
			else
				chunk(next++, SERVER, 0, 1 + below(40));
		}
		memcpy(peer, (uint8_t[]){192, 0, 2, 10 + i / 2}, 4);
		evaluated += chunk(cookie[i], SERVER, at[i], n) != NULL;
		at[i] += n;
		if (at[i] < 150)
			continue;
		conns_close(&cs, cookie[i]);
		finished++;
		cookie[i] = next++;
		at[i] = 0;
	}
	assert_true(finished > 2000);
	for (int i = 0; i < OTHERS; i++)
		evaluated -= conns_find(&cs, cookie[i]) && conns_find(&cs, cookie[i])->evaluated;
	assert_int_equal(evaluated, finished);
	assert_int_equal(cs.unread, 0);
}

static void ipv6_network_counts_as_one_peer(void **state)
{
	struct handshake_chunk c = {.magic = CHUNK_MAGIC,
				    .opened = OPENED_INBOUND,
				    .flags = CHUNK_EGRESS,
				    .ipv6 = 1,
				    .len = 1};

	chunk(1, SERVER, 0, 40);
	chunk(2, SERVER, 0, 40);
	c.ends.remote_ip[0] = 0x20;
	c.bytes[0] = 22;
	for (uint64_t i = 10; i < 10 + 2 * HANDSHAKES_MAX; i++) {
		c.cookie = i;
		memcpy(c.ends.remote_ip + 8, &i, sizeof(i));
		conns_chunk(&cs, &c);
	}
	assert_non_null(chunk(1, SERVER, 40, 160));
	assert_non_null(chunk(2, SERVER, 40, 160));
}

/* Handshake records that do not begin with a hello are a finding, and no blind spot. */
static void server_without_a_hello_is_wrong(void **state)
{
	static uint8_t bytes[] = {22, 3, 3, 0, 4, 99, 0, 0, 0};
	const struct stream odd = {.data = bytes, .len = sizeof(bytes)};

	chunk(1, CLIENT, 0, HELLO_LEN);
	assert_null(chunk_of(1, &odd, 0, odd.len, SERVER));
	assert_int_equal(conns_find(&cs, 1)->wrong, PAYLOAD_WRONG_HANDSHAKE);
	assert_true(conns_find(&cs, 1)->wrong_out);
	assert_int_equal(cs.unread, 0);
}

static struct conn *ended(uint64_t cookie, enum side side, uint8_t next)
{
	struct handshake_chunk c = {.magic = CHUNK_MAGIC,
				    .cookie = cookie,
				    .flags = CHUNK_ENDED | (side == SERVER ? CHUNK_EGRESS : 0),
				    .next = next};

	assert_true(handshake_chunk_valid(&c, CHUNK_HEADER_LEN));
	assert_null(conns_chunk(&cs, &c));
	return conns_find(&cs, cookie);
}

/* The session is TLS 1.2: both sides send ChangeCipherSpec first, and the client nothing before the server. */
static void data_before_it_is_allowed_is_wrong(void **state)
{
	const struct conn *c;

	for (uint64_t i = 1; i <= 4; i++)
		chunk(i, CLIENT, 0, HELLO_LEN);
	assert_int_equal(ended(1, CLIENT, 20)->wrong, PAYLOAD_NOTHING);
	chunk(1, SERVER, 0, 200);
	assert_int_equal(ended(1, SERVER, 20)->wrong, PAYLOAD_NOTHING);

	c = ended(2, CLIENT, 23);
	assert_int_equal(c->wrong, PAYLOAD_DATA_RECORD);
	assert_false(c->wrong_out);

	chunk(3, SERVER, 0, 40); /* not the whole hello */
	c = ended(3, SERVER, 23);
	assert_int_equal(c->wrong, PAYLOAD_DATA_RECORD);
	assert_true(c->wrong_out);

	chunk(4, SERVER, 0, 200);
	c = ended(4, SERVER, 23);
	assert_int_equal(c->wrong, PAYLOAD_DATA_RECORD);
	assert_int_equal(conn_wrong_rule(c), RULE_TLS_MIDSTREAM);
}

/* Of what was not read nothing is said. */
static void data_behind_what_was_lost_is_not_wrong(void **state)
{
	assert_null(ended(9, CLIENT, 23)); /* an unknown connection */
	chunk(1, CLIENT, 0, HELLO_LEN);
	chunk(1, SERVER, 50, 50);
	assert_int_equal(ended(1, CLIENT, 23)->wrong, PAYLOAD_NOTHING);
	chunk(2, CLIENT, 0, 100);
	crowd(1000, 2 * HANDSHAKES_MAX); /* evicts its reading */
	assert_int_equal(ended(2, CLIENT, 23)->wrong, PAYLOAD_NOTHING);
}

static void handshake_records_without_a_handshake_are_wrong(void **state)
{
	static uint8_t text[] = {22, 3, 3, 0, 8, '*', '1', '\r', '\n', '$', '4', '\r', '\n'};
	const struct stream odd = {.data = text, .len = sizeof(text)};
	const struct conn *c;

	chunk_of(1, &odd, 0, odd.len, CLIENT);
	c = conns_find(&cs, 1);
	assert_int_equal(c->wrong, PAYLOAD_WRONG_HANDSHAKE);
	assert_int_equal(conn_wrong_rule(c), RULE_TLS_PLAINTEXT);
	assert_false(c->wrong_out);
	chunk(2, SERVER, 0, 100);
	assert_int_equal(conns_find(&cs, 2)->wrong, PAYLOAD_NOTHING);
}

static void event_names_what_was_negotiated(void **state)
{
	struct event ev;
	char text[96];

	chunk(5, CLIENT, 0, HELLO_LEN);
	assert_non_null(chunk(5, SERVER, 0, 200));
	conn_event(conns_find(&cs, 5), RULE_TLS_VERSION, &ev);
	assert_int_equal(ev.key.instance, 7);
	assert_int_equal(ev.key.actor, 5);
	assert_int_equal(ev.key.vector, VECTOR_EGRESS);
	attempt_detail(&ev, text, sizeof(text));
	assert_string_equal(text, "TLSv1.2 negotiated");
}

/* Whether text and JSON list a connection in that state, once the server has sent so many bytes. */
static bool listed(const struct conn *c, uint64_t server_bytes, const char *state)
{
	struct conn_snapshot snapshot = {.flags = SOCK_FRESH | SOCK_LISTENER,
					 .in = {.records = 1},
					 .out = {.bytes = server_bytes}};
	const struct conn_view view = {.snapshot = &snapshot, .conn = c};
	static struct report_buf b;
	size_t len;
	bool same;

	same = strstr(conn_text(&view, &b, &len), state) != NULL;
	if (!strncmp(state, "TLS", 3))
		state = "settled";
	same = same && strstr(conn_json(&view, &b, &len), state);
	report_buf_free(&b);
	return same;
}

static void handshake_is_listed_in_its_current_state(void **state)
{
	static uint8_t bytes[] = {21, 3, 3, 0, 2, 2, 40};
	const struct stream alert = {.data = bytes, .len = sizeof(bytes)};

	assert_true(listed(NULL, 100, "handshake not seen"));
	chunk(1, CLIENT, 0, HELLO_LEN);
	assert_true(listed(conns_find(&cs, 1), 0, "handshake under way"));
	crowd(1000, 2 * HANDSHAKES_MAX); /* evicts its reading, which does not matter yet */
	assert_true(listed(conns_find(&cs, 1), 0, "handshake under way"));
	assert_true(listed(conns_find(&cs, 1), 9, "handshake not seen")); /* 9 bytes no chunk had */
	chunk(1, SERVER, 0, 40);
	assert_true(listed(conns_find(&cs, 1), 40, "handshake under way"));
	chunk(1, SERVER, 40, 160);
	assert_true(listed(conns_find(&cs, 1), 200, "TLSv1.2"));
	assert_true(listed(conns_find(&cs, 1), 9000, "TLSv1.2"));
	chunk(2, CLIENT, 0, HELLO_LEN);
	chunk_of(2, &alert, 0, alert.len, SERVER);
	assert_true(listed(conns_find(&cs, 2), alert.len, "handshake refused"));
	chunk(3, CLIENT, 0, HELLO_LEN);
	chunk(3, SERVER, 50, 100);
	assert_true(listed(conns_find(&cs, 3), 150, "handshake not seen"));
}

/* MPTCP carries part of this direction over other subflows. */
static void multipath_direction_is_listed_as_a_subflow(void **state)
{
	struct conn_snapshot snapshot = {.in = {.sync = TLS_MULTIPATH, .unsynced_bytes = 7},
					 .out = {.sync = TLS_SYNCED}};
	const struct conn_view view = {.snapshot = &snapshot};
	static struct report_buf b;
	const char *text;
	size_t len;

	text = conn_text(&view, &b, &len);
	assert_non_null(strstr(text, " rec subflow (7 B unread"));
	assert_non_null(strstr(text, " rec synced\n"));
	assert_non_null(strstr(conn_json(&view, &b, &len), "\"sync\":\"subflow\""));
	report_buf_free(&b);
}

static void invalid_chunk_is_refused(void **state)
{
	struct handshake_chunk c = {.magic = CHUNK_MAGIC, .len = 10};

	assert_false(handshake_chunk_valid(&c, 8));
	assert_false(handshake_chunk_valid(&c, CHUNK_HEADER_LEN)); /* bytes are missing */
	c.len = CHUNK_LEN + 1;
	assert_false(handshake_chunk_valid(&c, sizeof(c)));
	c.len = 10;
	c.magic++;
	assert_false(handshake_chunk_valid(&c, sizeof(c)));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define SEEDED(f, n)                                                                               \
	cmocka_unit_test_prestate_setup_teardown(f, setup, teardown, (void *)(uintptr_t)n)
	const struct CMUnitTest tests[] = {
		T(handshake_is_evaluated_once),
		T(missing_chunk_is_noted_and_nothing_is_negotiated),
		T(closed_connection_is_forgotten),
		T(table_is_bounded),
		T(event_names_what_was_negotiated),
		T(data_before_it_is_allowed_is_wrong),
		T(data_behind_what_was_lost_is_not_wrong),
		T(handshake_records_without_a_handshake_are_wrong),
		T(evicted_client_hello_is_still_evaluated_by_the_server_hello),
		T(evicted_server_hello_is_counted_once_it_continues),
		T(evaluated_handshakes_are_evicted_first),
		SEEDED(one_peer_cannot_evict_the_handshakes_of_others, 1),
		SEEDED(one_peer_cannot_evict_the_handshakes_of_others, 2),
		SEEDED(one_peer_cannot_evict_the_handshakes_of_others, 3),
		T(ipv6_network_counts_as_one_peer),
		T(server_without_a_hello_is_wrong),
		T(handshake_is_listed_in_its_current_state),
		T(multipath_direction_is_listed_as_a_subflow),
		cmocka_unit_test(invalid_chunk_is_refused),
	};

	return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
