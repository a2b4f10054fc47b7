/* SPDX-License-Identifier: BSD-2-Clause */
/* test_conn.c - the table of connections: fed with the pieces the kernel hands on, real handshakes in them. */
#include "unit.h"

#include "streams/talk.h"

#include "conn.h"
#include "rule.h"

static struct conns cs;
static struct talk t;

static int setup(void **state)
{
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
	static struct clear_piece p;

	p = (struct clear_piece){.magic = CLEAR_MAGIC,
				 .instance = 7,
				 .cookie = cookie,
				 .time_ns = 1000 + cookie,
				 .offset = at,
				 .len = len,
				 .opened = OPENED_INBOUND,
				 .flags = egress ? CLEAR_EGRESS : 0};
	memcpy(p.bytes, tape->bytes + at, len);
	assert_true(clear_piece_valid(&p, sizeof(p)));
	return conns_piece(&cs, &p);
}

static void a_handshake_settles_once(void **state)
{
	uint32_t at, told = 0, hello = 5 + (t.from_client.bytes[3] << 8 | t.from_client.bytes[4]);
	struct conn *c = NULL;

	assert_null(piece(1, &t.from_client, 0, 100, 0));
	assert_null(piece(1, &t.from_client, 100, hello - 100, 0));
	for (at = 0; at + 50 < t.from_server.len && at < 1200; at += 50) {
		struct conn *now = piece(1, &t.from_server, at, 50, 1);

		told += now != NULL;
		c = now ?: c;
	}
	assert_int_equal(told, 1);
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
	struct clear_piece p = {.magic = CLEAR_MAGIC, .cookie = 1, .flags = CLEAR_CLOSED};

	piece(1, &t.from_client, 0, 100, 0);
	piece(2, &t.from_client, 0, 100, 0);
	assert_true(clear_piece_valid(&p, CLEAR_HEADER_LEN));
	assert_null(conns_piece(&cs, &p));
	assert_null(conns_find(&cs, 1));
	assert_non_null(conns_find(&cs, 2));
	assert_null(conns_piece(&cs, &p)); /* of one we never knew */
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
	assert_true(conns_find(&cs, 11)->partly); /* it gave way in the middle of its handshake */
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
	rule_detail(&ev, text, sizeof(text));
	assert_string_equal(text, "TLSv1.2 settled");
}

static void records_that_are_no_pieces_are_refused(void **state)
{
	struct clear_piece p = {.magic = CLEAR_MAGIC, .len = 10};

	assert_false(clear_piece_valid(&p, 8));
	assert_false(clear_piece_valid(&p, CLEAR_HEADER_LEN)); /* bytes are missing */
	p.len = CLEAR_PIECE + 1;
	assert_false(clear_piece_valid(&p, sizeof(p)));
	p.len = 10;
	p.magic++;
	assert_false(clear_piece_valid(&p, sizeof(p)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_handshake_settles_once, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_missing_is_said_and_nothing_is_settled,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_closed_connection_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(the_table_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(a_breach_names_what_was_settled, setup, teardown),
		cmocka_unit_test(records_that_are_no_pieces_are_refused),
	};

	make_cert();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
