/* SPDX-License-Identifier: BSD-2-Clause */
/* test_ask_link.c - a server is sent nothing unless the other end is its own, and whoever does not answer is left. */
#include "unit.h"

#include "monitor/ask_link.h"
#include "monitor/asks.h"
#include "monitor/sock_diag.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const uint8_t loopback[16] = {[10] = 0xff, 0xff, 127, 0, 0, 1};
static const uint8_t any[16] = {[10] = 0xff, 0xff};

static int listen_on(uint16_t *ret_port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static void init(struct ask_link *l)
{
	assert_true(ask_link_init(l));
	l->diag = sock_diag_open(0);
	assert_true(l->diag >= 0);
}

static void end(struct ask_link *l)
{
	ask_link_close(l);
	close(l->diag);
	SSL_CTX_free(l->ctx);
}

static void the_other_end_must_belong_to_the_servers_user(void **state)
{
	uint16_t port;
	int fd = listen_on(&port), taken;
	struct conn_ends own;
	struct ask_link l;

	init(&l);
	assert_true(ask_link_connect(&l, any, port, &own));
	assert_int_equal(own.local_port, port);
	assert_memory_equal(own.local_ip, loopback, sizeof(loopback));
	assert_memory_equal(own.remote_ip, loopback, sizeof(loopback));
	assert_int_not_equal(own.remote_port, 0);
	taken = accept(fd, NULL, NULL);
	assert_true(ask_link_verify(&l, geteuid()));
	assert_false(ask_link_verify(&l, geteuid() + 1));
	assert_string_equal(l.why, "its other end belongs to another user");
	close(taken);
	close(fd);
	end(&l);
}

/* Before it is accepted nobody can say whose it will be. */
static void a_connection_that_is_not_accepted_is_nobodys(void **state)
{
	uint16_t port;
	int fd = listen_on(&port);
	struct conn_ends own;
	struct ask_link l;

	init(&l);
	assert_true(ask_link_connect(&l, loopback, port, &own));
	assert_false(ask_link_verify(&l, geteuid()));
	assert_string_equal(l.why, "the connection was not accepted in time");
	close(fd);
	end(&l);
	init(&l);
	assert_false(ask_link_connect(&l, loopback, port, &own));
	end(&l);
}

/* What a peer is taken for that answers with that; NULL: it does not. */
static enum ask_peer answered(const char *answer, enum ask_peer (*begin)(struct ask_link *l))
{
	uint16_t port;
	int fd = listen_on(&port), taken;
	enum ask_peer peer;
	struct conn_ends own;
	struct ask_link l;

	init(&l);
	assert_true(ask_link_connect(&l, loopback, port, &own));
	taken = accept(fd, NULL, NULL);
	if (answer && answer[0])
		assert_int_equal(send(taken, answer, strlen(answer), 0), strlen(answer));
	if (answer && !answer[0])
		shutdown(taken, SHUT_WR);
	peer = begin(&l);
	close(taken);
	close(fd);
	end(&l);
	return peer;
}

#define ALERT "\025\003\003\001\002\002\050"

static void a_peer_that_speaks_tls_is_told_by_its_first_byte(void **state)
{
	assert_int_equal(answered("-ERR unknown command\r\n", ask_link_encrypt), ASK_PEER_SILENT);
	assert_int_equal(answered(ALERT, ask_link_encrypt), ASK_PEER_TLS_FAILED);
	assert_int_equal(answered("\026\003\003garbage", ask_link_encrypt), ASK_PEER_TLS_FAILED);
	assert_int_equal(answered("", ask_link_encrypt), ASK_PEER_CLOSED);
	assert_int_equal(answered(NULL, ask_link_encrypt), ASK_PEER_SILENT);
}

/* Only a server that answered in plaintext is sent a password in plaintext. */
static void a_peer_that_speaks_plaintext_says_so(void **state)
{
	assert_int_equal(answered("+PONG\r\n", ask_link_greet), ASK_PEER_PLAIN);
	assert_int_equal(answered("-NOAUTH Authentication required.\r\n", ask_link_greet),
			 ASK_PEER_PLAIN);
	assert_int_equal(answered(ALERT, ask_link_greet), ASK_PEER_TLS_FAILED);
	assert_int_equal(answered("\027\003\003\001\002", ask_link_greet), ASK_PEER_TLS_FAILED);
	assert_int_equal(answered("HTTP/1.1 400\r\n", ask_link_greet), ASK_PEER_TLS_FAILED);
	assert_int_equal(answered("", ask_link_greet), ASK_PEER_CLOSED);
	assert_int_equal(answered(NULL, ask_link_greet), ASK_PEER_SILENT);
}

static void a_unix_socket_must_be_the_servers(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), got;
	char dir[] = "/tmp/test_ask_link.XXXXXX";

	assert_non_null(mkdtemp(dir));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/s", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 4), 0);
	got = ask_link_unix(at.sun_path, getpid());
	assert_true(got >= 0);
	close(got);
	assert_int_equal(ask_link_unix(at.sun_path, getppid()), -1);
	assert_int_equal(ask_link_unix("/nowhere", getpid()), -1);
	close(fd);
	unlink(at.sun_path);
	rmdir(dir);
}

/* A stranger can have the monitor's port at another address of the same server. */
static void a_connection_is_its_own_by_address_and_port(void **state)
{
	static struct ask_answer answer = {.connections = 1};
	struct ask ask = {.instance = 1, .answer = &answer, .began_ns = 1};
	struct asks asks = {.all = &ask, .count = 1};
	uint16_t port;
	int fd = listen_on(&port);
	struct conn_ends other;
	struct ask_link l;

	init(&l);
	assert_true(ask_link_connect(&l, any, port, &answer.ends[0]));
	assert_true(asks_own(&asks, 1, &answer.ends[0], 2));
	assert_false(asks_own(&asks, 2, &answer.ends[0], 2));
	other = answer.ends[0];
	other.remote_ip[15] = other.local_ip[15] = 2; /* 127.0.0.2 */
	assert_false(asks_own(&asks, 1, &other, 2));
	other = answer.ends[0];
	other.remote_port++;
	assert_false(asks_own(&asks, 1, &other, 2));
	close(fd);
	end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_is_its_own_by_address_and_port),
		cmocka_unit_test(the_other_end_must_belong_to_the_servers_user),
		cmocka_unit_test(a_connection_that_is_not_accepted_is_nobodys),
		cmocka_unit_test(a_peer_that_speaks_tls_is_told_by_its_first_byte),
		cmocka_unit_test(a_peer_that_speaks_plaintext_says_so),
		cmocka_unit_test(a_unix_socket_must_be_the_servers),
	};

	return cmocka_run_group_tests_name("ask_link", tests, NULL, NULL);
}
