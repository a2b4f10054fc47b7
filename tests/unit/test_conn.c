/* SPDX-License-Identifier: BSD-2-Clause */
/* test_conn.c - the table of connections: fed with the pieces the kernel hands on, real handshakes in them. */
#include "unit.h"

#include "streams/talk.h"

#include "model/attempt.h"
#include "model/conn.h"
#include "report/conn_report.h"
#include "map.h"
#include "model/rule.h"

#include <stdlib.h>

static struct conns cs;
static struct talk t;
static uint8_t peer[4]; /* whose the next pieces are */

static int setup(void **state)
{
	memcpy(peer, (uint8_t[]){192, 0, 2, 1}, 4);
	talk_init(&t);
	SSL_CTX_set_max_proto_version(t.client_ctx, TLS1_2_VERSION);
	assert_true(talk_run(&t, NULL));
	return conns_init(&cs);
}

static int teardown(void **state)
{
	talk_end(&t);
	conns_free(&cs);
	return 0;
}

static struct conn *piece(uint64_t cookie, const struct tape *tape, uint32_t at, uint32_t len,
			  int egress)
{
	static struct handshake_chunk p;

	p = (struct handshake_chunk){.magic = CHUNK_MAGIC,
				     .instance = 7,
				     .cookie = cookie,
				     .time_ns = 1000 + cookie,
				     .offset = at,
				     .len = len,
				     .opened = OPENED_INBOUND,
				     .flags = egress ? CHUNK_EGRESS : 0};
	p.ends.remote_ip[10] = p.ends.remote_ip[11] = 0xff;
	memcpy(p.ends.remote_ip + 12, peer, 4);
	memcpy(p.bytes, tape->bytes + at, len);
	assert_true(handshake_chunk_valid(&p, sizeof(p)));
	return conns_chunk(&cs, &p);
}

static void a_handshake_settles_once(void **state)
{
	uint32_t at, reported = 0,
		     hello = 5 + (t.from_client.bytes[3] << 8 | t.from_client.bytes[4]);
	struct conn *c = NULL;

	assert_null(piece(1, &t.from_client, 0, 100, 0));
	assert_null(piece(1, &t.from_client, 100, hello - 100, 0));
	for (at = 0; at + 50 < t.from_server.len && at < 1200; at += 50) {
		struct conn *now = piece(1, &t.from_server, at, 50, 1);

		reported += now != NULL;
		c = now ?: c;
	}
	assert_int_equal(reported, 1);
	assert_ptr_equal(c, conns_find(&cs, 1));
	assert_int_equal(c->facts->version, TLS1_2_VERSION);
	assert_int_equal(c->facts->cipher,
			 SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(t.client)));
	assert_string_equal(c->facts->sni, "cache.example");
	assert_true(c->has_cert);
	assert_false(c->partly);
}

static void what_is_missing_is_said_and_nothing_is_settled(void **state)
{
	assert_null(piece(1, &t.from_server, 50, 50, 1));
	assert_true(conns_find(&cs, 1)->partly);
	assert_null(piece(1, &t.from_server, 0, 90, 1));
	assert_false(conn_settled(conns_find(&cs, 1)));
}

static void a_closed_connection_is_forgotten(void **state)
{
	struct handshake_chunk p = {.magic = CHUNK_MAGIC, .cookie = 1, .flags = CHUNK_CLOSED};

	piece(1, &t.from_client, 0, 100, 0);
	piece(2, &t.from_client, 0, 100, 0);
	assert_true(handshake_chunk_valid(&p, CHUNK_HEADER_LEN));
	assert_null(conns_chunk(&cs, &p));
	assert_null(conns_find(&cs, 1));
	assert_non_null(conns_find(&cs, 2));
	assert_null(conns_chunk(&cs, &p)); /* of one we never knew */
	assert_int_equal(cs.count, 1);
}

static void the_table_is_bounded(void **state)
{
	for (uint64_t i = 1; i <= CONNS_MAX + 10; i++)
		piece(i, &t.from_client, 0, 60, 0);
	assert_int_equal(cs.count, CONNS_MAX);
	assert_int_equal(cs.forgotten, 10);
	assert_null(conns_find(&cs, 10));
	assert_non_null(conns_find(&cs, 11));
	assert_non_null(conns_find(&cs, CONNS_MAX + 10));
	piece(11, &t.from_client, 60, 60, 0);
	assert_true(conns_find(&cs, 11)->partly); /* it gave way in the middle of its hello */
}

/* That many others of the peer, that say as little as they can. */
static void crowd(uint64_t from, uint64_t n)
{
	for (uint64_t other = from; other < from + n; other++)
		piece(other, &t.from_client, 0, 1, 0);
}

static void one_that_gave_way_is_judged_by_what_the_server_says(void **state)
{
	struct conn *c;

	piece(1, &t.from_client, 0, 1, 0);
	crowd(2, 2 * HANDSHAKES_MAX);
	piece(1, &t.from_client, 1, 189, 0);
	crowd(1000, 2 * HANDSHAKES_MAX);
	c = piece(1, &t.from_server, 0, 200, 1);
	assert_non_null(c);
	assert_int_equal(c->facts->version, TLS1_2_VERSION);
	assert_true(c->partly);
	assert_int_equal(cs.unjudged, 0);
}

static void one_that_gave_way_in_the_servers_hello_is_counted_if_it_goes_on(void **state)
{
	struct handshake_chunk over = {.magic = CHUNK_MAGIC, .cookie = 2, .flags = CHUNK_CLOSED};

	for (uint64_t i = 1; i <= 3; i++) {
		piece(i, &t.from_client, 0, 190, 0);
		piece(i, &t.from_server, 0, 40, 1);
	}
	crowd(4, 2 * HANDSHAKES_MAX);
	conns_chunk(&cs, &over);
	assert_int_equal(cs.unjudged, 0); /* the third says no more, the second is over */
	assert_null(piece(1, &t.from_server, 40, 40, 1));
	assert_int_equal(cs.unjudged, 1);
	assert_null(piece(1, &t.from_server, 80, 40, 1));
	assert_null(piece(3, &t.from_client, 190, 10, 0));
	assert_int_equal(cs.unjudged, 1);
	assert_true(conns_find(&cs, 1)->partly);
}

/* The settled ones are over, most of them. */
static void those_that_settled_give_way_first(void **state)
{
	for (uint64_t i = 1; i <= 20; i++)
		piece(i, &t.from_server, 0, 40, 1);
	peer[3] = 2;
	for (uint64_t i = 1000; i < 1000 + 3 * HANDSHAKES_MAX; i++)
		assert_non_null(piece(i, &t.from_server, 0, 200, 1));
	for (uint64_t i = 1; i <= 20; i++)
		assert_non_null(piece(i, &t.from_server, 40, 160, 1));
	assert_int_equal(cs.unjudged, 0);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)random() % n;
}

/*
 * One peer, with all of 127/8 for its own, opens as many connections as it likes, in any state, while twenty others
 * shake hands, two at a time each, cut anywhere: each of theirs is judged, once.
 */
static void nobody_pushes_out_anothers(void **state)
{
	enum { OTHERS = 40 };
	uint32_t seed = (uint32_t)(uintptr_t)*state, at[OTHERS] = {}, evaluated = 0, whole = 0;
	uint64_t cookie[OTHERS], next = 1;

	srandom(seed);
	for (int i = 0; i < OTHERS; i++)
		cookie[i] = next++;
	for (int step = 0; step < 30000; step++) {
		uint32_t i = below(OTHERS), n = 1 + below(30);

		memcpy(peer, (uint8_t[]){127, below(256), below(256), below(256)}, 4);
		for (uint32_t k = below(4); k; k--) {
			if (below(2))
				piece(next++, &t.from_client, 0, 1 + below(100), 0);
			else
				piece(next++, &t.from_server, 0, 1 + below(40), 1);
		}
		memcpy(peer, (uint8_t[]){192, 0, 2, 10 + i / 2}, 4);
		evaluated += piece(cookie[i], &t.from_server, at[i], n, 1) != NULL;
		at[i] += n;
		if (at[i] < 150)
			continue;
		conns_close(&cs, cookie[i]);
		whole++;
		cookie[i] = next++;
		at[i] = 0;
	}
	assert_true(whole > 2000);
	for (int i = 0; i < OTHERS; i++)
		evaluated -= conns_find(&cs, cookie[i]) && conns_find(&cs, cookie[i])->evaluated;
	assert_int_equal(evaluated, whole);
	assert_int_equal(cs.unjudged, 0);
}

static void a_network_of_ipv6_is_one_peer(void **state)
{
	struct handshake_chunk p = {.magic = CHUNK_MAGIC,
				    .opened = OPENED_INBOUND,
				    .flags = CHUNK_EGRESS,
				    .ipv6 = 1,
				    .len = 1};

	piece(1, &t.from_server, 0, 40, 1);
	piece(2, &t.from_server, 0, 40, 1);
	p.ends.remote_ip[0] = 0x20;
	p.bytes[0] = 22;
	for (uint64_t i = 10; i < 10 + 2 * HANDSHAKES_MAX; i++) {
		p.cookie = i;
		memcpy(p.ends.remote_ip + 8, &i, sizeof(i));
		conns_chunk(&cs, &p);
	}
	assert_non_null(piece(1, &t.from_server, 40, 160, 1));
	assert_non_null(piece(2, &t.from_server, 40, 160, 1));
}

/* What begins with no hello settles on nothing, whatever its records look like. */
static void a_server_that_says_no_hello_is_counted(void **state)
{
	static struct tape odd = {.bytes = {22, 3, 3, 0, 4, 99, 0, 0, 0}, .len = 9};

	piece(1, &t.from_client, 0, 190, 0);
	assert_null(piece(1, &odd, 0, 9, 1));
	assert_int_equal(cs.unjudged, 1);
}

static void a_breach_names_what_was_settled(void **state)
{
	struct event ev;
	char text[96];

	piece(5, &t.from_client, 0, 190, 0);
	assert_non_null(piece(5, &t.from_server, 0, 200, 1));
	conn_event(conns_find(&cs, 5), RULE_TLS_VERSION, &ev);
	assert_int_equal(ev.key.instance, 7);
	assert_int_equal(ev.key.actor, 5);
	assert_int_equal(ev.key.vector, VECTOR_EGRESS);
	attempt_detail(&ev, text, sizeof(text));
	assert_string_equal(text, "TLSv1.2 settled");
}

/* What `conns` says of a connection of which the server sent that much. */
static bool listed(const struct conn *c, uint64_t server_bytes, const char *state)
{
	struct conn_snapshot live = {.flags = SOCK_FRESH | SOCK_LISTENER,
				     .in = {.records = 1},
				     .out = {.bytes = server_bytes}};
	struct jsonw j = {};
	char text[1024];
	size_t len;
	bool same;

	conn_text(&live, c, NULL, text, sizeof(text));
	same = strstr(text, state) != NULL;
	if (!strncmp(state, "TLS", 3))
		state = "settled";
	same = same && strstr(conn_json(&j, &live, c, NULL, &len), state);
	jsonw_free(&j);
	return same;
}

static void a_handshake_is_listed_as_it_stands(void **state)
{
	static struct tape refusal = {.bytes = {21, 3, 3, 0, 2, 2, 40}, .len = 7};

	assert_true(listed(NULL, 100, "handshake not seen"));
	piece(1, &t.from_client, 0, 190, 0);
	assert_true(listed(conns_find(&cs, 1), 0, "handshake under way"));
	crowd(1000, 2 * HANDSHAKES_MAX); /* that it gave way is no matter yet */
	assert_true(listed(conns_find(&cs, 1), 0, "handshake under way"));
	assert_true(listed(conns_find(&cs, 1), 9, "handshake not seen")); /* they never came */
	piece(1, &t.from_server, 0, 40, 1);
	assert_true(listed(conns_find(&cs, 1), 40, "handshake under way"));
	piece(1, &t.from_server, 40, 160, 1);
	assert_true(listed(conns_find(&cs, 1), 200, "TLSv1.2"));
	assert_true(listed(conns_find(&cs, 1), 9000, "TLSv1.2"));
	piece(2, &t.from_client, 0, 190, 0);
	piece(2, &refusal, 0, 7, 1);
	assert_true(listed(conns_find(&cs, 2), 7, "handshake refused"));
	piece(3, &t.from_client, 0, 190, 0);
	piece(3, &t.from_server, 50, 100, 1);
	assert_true(listed(conns_find(&cs, 3), 150, "handshake not seen"));
}

/* A direction of which MPTCP carries a part elsewhere. */
static void a_part_of_a_stream_is_listed_as_such(void **state)
{
	struct conn_snapshot live = {.in = {.sync = TLS_MULTIPATH, .unsynced_bytes = 7},
				     .out = {.sync = TLS_SYNCED}};
	struct jsonw j = {};
	char text[1024];
	size_t len;

	conn_text(&live, NULL, NULL, text, sizeof(text));
	assert_non_null(strstr(text, " rec subflow (7 B unread"));
	assert_non_null(strstr(text, " rec synced\n"));
	assert_non_null(strstr(conn_json(&j, &live, NULL, NULL, &len), "\"sync\":\"subflow\""));
	jsonw_free(&j);
}

static void records_that_are_no_pieces_are_refused(void **state)
{
	struct handshake_chunk p = {.magic = CHUNK_MAGIC, .len = 10};

	assert_false(handshake_chunk_valid(&p, 8));
	assert_false(handshake_chunk_valid(&p, CHUNK_HEADER_LEN)); /* bytes are missing */
	p.len = CHUNK_LEN + 1;
	assert_false(handshake_chunk_valid(&p, sizeof(p)));
	p.len = 10;
	p.magic++;
	assert_false(handshake_chunk_valid(&p, sizeof(p)));
}

int main(void)
{
#define S(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define SEEDED(f, n)                                                                               \
	cmocka_unit_test_prestate_setup_teardown(f, setup, teardown, (void *)(uintptr_t)n)
	const struct CMUnitTest tests[] = {
		S(a_handshake_settles_once),
		S(what_is_missing_is_said_and_nothing_is_settled),
		S(a_closed_connection_is_forgotten),
		S(the_table_is_bounded),
		S(a_breach_names_what_was_settled),
		S(one_that_gave_way_is_judged_by_what_the_server_says),
		S(one_that_gave_way_in_the_servers_hello_is_counted_if_it_goes_on),
		S(those_that_settled_give_way_first),
		SEEDED(nobody_pushes_out_anothers, 1),
		SEEDED(nobody_pushes_out_anothers, 2),
		SEEDED(nobody_pushes_out_anothers, 3),
		S(a_network_of_ipv6_is_one_peer),
		S(a_server_that_says_no_hello_is_counted),
		S(a_handshake_is_listed_as_it_stands),
		S(a_part_of_a_stream_is_listed_as_such),
		cmocka_unit_test(records_that_are_no_pieces_are_refused),
	};

	make_cert();
	return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
