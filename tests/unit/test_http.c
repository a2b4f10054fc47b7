/* SPDX-License-Identifier: BSD-2-Clause */
/* test_http.c - heads of HTTP messages, and a server that nobody can hold up. */
#include "unit.h"

#include "base/http_address.h"
#include "base/http_client.h"
#include "base/http_server.h"
#include "base/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* --- heads --- */

static int parse(const char *text, struct http_request *r)
{
	return http_parse_request(text, strlen(text), r);
}

static void request_is_taken_apart(void **state)
{
	static const char text[] = "POST /add-checkpoint?x=1 HTTP/1.1\r\nHost: a\r\n"
				   "content-length:  12 \r\nExpect: 100-continue\r\n\r\nbody";
	struct http_request r;

	assert_int_equal(parse(text, &r), (int)strlen(text) - 4);
	assert_string_equal(r.method, "POST");
	assert_string_equal(r.target, "/add-checkpoint");
	assert_int_equal(r.body_len, 12);
	assert_true(r.keep_alive);
	assert_true(r.expects_continue);
	for (size_t cut = 0; cut < strlen(text) - 4; cut++)
		assert_int_equal(http_parse_request(text, cut, &r), 0);
	assert_true(parse("GET / HTTP/1.0\r\n\r\n", &r) > 0);
	assert_false(r.keep_alive);
	assert_true(parse("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", &r) > 0);
	assert_false(r.keep_alive);
}

static void what_is_not_understood_is_refused(void **state)
{
	static const struct {
		const char *text;
		int err;
	} wrong[] = {
		{"\r\n\r\n", -EBADMSG},
		{"GET / HTTP/2.0\r\n\r\n", -EOPNOTSUPP},
		{"GET /\r\n\r\n", -EBADMSG},
		{"GET  / HTTP/1.1\r\n\r\n", -EBADMSG},
		{"GET http://a/ HTTP/1.1\r\n\r\n", -EBADMSG},
		{"G\x01T / HTTP/1.1\r\n\r\n", -EBADMSG},
		{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", -EOPNOTSUPP},
		{"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", -EBADMSG},
		{"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", -EBADMSG},
		{"POST / HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n", -EFBIG},
		{"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", -EBADMSG},
		{"POST / HTTP/1.1\r\nContent-Length : 1\r\n\r\n", -EBADMSG},
		{"POST / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", -EBADMSG},
		{"POST / HTTP/1.1\r\nA: b\nB: c\r\n\r\n", -EBADMSG},
		{"POST / HTTP/1.1\r\nno colon\r\n\r\n", -EBADMSG},
	};
	static char large[HTTP_HEAD_MAX + 8];
	struct http_request r;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (parse(wrong[i].text, &r) != wrong[i].err)
			fail_msg("number %zu gives %d", i, parse(wrong[i].text, &r));
	}
	memset(large, 'a', sizeof(large));
	assert_int_equal(http_parse_request(large, HTTP_HEAD_MAX - 1, &r), 0);
	assert_int_equal(http_parse_request(large, HTTP_HEAD_MAX, &r), -EFBIG);
}

static void response_is_taken_apart(void **state)
{
	static const char text[] =
		"HTTP/1.1 409 Conflict\r\nContent-Type: Text/x.tlog.size; a=b\r\n"
		"Content-Length: 3\r\n\r\n12\n";
	struct http_response r;

	assert_int_equal(http_parse_response(text, strlen(text), &r), (int)strlen(text) - 3);
	assert_int_equal(r.status, 409);
	assert_string_equal(r.type, "text/x.tlog.size");
	assert_int_equal(r.body_len, 3);
	assert_true(http_parse_response("HTTP/1.0 200 OK\r\n\r\n", 19, &r) > 0);
	assert_true(r.body_len == SIZE_MAX);
	assert_int_equal(http_parse_response("SSH-2.0-x\r\n\r\n", 13, &r), -EBADMSG);
	assert_int_equal(http_parse_response("HTTP/1.1 2x0 OK\r\n\r\n", 19, &r), -EBADMSG);
}

static void addresses(void **state)
{
	static const char *const wrong[] = {
		"",	   "127.0.0.1",	      ":80",   "127.0.0.1:", "::1:80",	     "127.0.0.1:x",
		"[::1]80", "127.0.0.1:70000", "[]:80", "a.b:80",     "127.0.0.1:80 "};
	struct http_address a;

	assert_int_equal(http_address_parse(&a, "127.0.0.1:80", true), 0);
	assert_int_equal(((struct sockaddr_in *)&a.addr)->sin_port, htons(80));
	assert_int_equal(http_address_parse(&a, "[::1]:65535", true), 0);
	assert_int_equal(a.addr.ss_family, AF_INET6);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (http_address_parse(&a, wrong[i], true) != -EINVAL)
			fail_msg("accepted: %s", wrong[i]);
	}
}

static void local_addresses(void **state)
{
	static const char *const local[] = {"127.0.0.1:80", "127.9.9.9:0", "[::1]:80",
					    "unix:/run/x"};
	static const char *const other[] = {
		"0.0.0.0:80", "[::]:80", "192.0.2.1:80",	  "localhost:80",
		"unix:x",     "unix:",	 "[::ffff:127.0.0.1]:80", ""};

	for (size_t i = 0; i < ARRAY_SIZE(local); i++)
		assert_true(http_address_is_local(local[i]));
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		assert_false(http_address_is_local(other[i]));
}

/* --- server --- */

static struct http_server *server;
static pthread_t thread;
static int stop_fd;

/* Sends back what it got, with its length in front. */
static void echo(void *ctx, const struct http_request *r, const char *body, struct http_reply *ret)
{
	http_reply_text(ret, 200, "%s %s %zu %.100s", r->method, r->target, r->body_len, body);
}

static void *serve(void *ctx)
{
	return (void *)(intptr_t)http_server_run(server, stop_fd);
}

static int start(void **state)
{
	stop_fd = eventfd(0, EFD_CLOEXEC);
	return http_server_open(&server, "127.0.0.1:0", echo, NULL) ||
	       pthread_create(&thread, NULL, serve, NULL);
}

static int stop(void **state)
{
	uint64_t one = 1;
	void *err;

	if (write(stop_fd, &one, sizeof(one)) != sizeof(one) || pthread_join(thread, &err) || err)
		return -1;
	http_server_close(server);
	close(stop_fd);
	return 0;
}

static void connect_to_it(int fd)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)http_server_port(server)),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
}

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	connect_to_it(fd);
	return fd;
}

/* Reads until so many bytes "HTTP/1.1 " came, or the end. */
static void expect(int fd, const char *text)
{
	char got[8192];
	size_t len = 0;
	ssize_t n;

	got[0] = '\0';
	while (!strstr(got, text)) {
		n = recv(fd, got + len, sizeof(got) - 1 - len, 0);
		if (n <= 0)
			fail_msg("'%s' did not come, but: %s", text, got);
		len += (size_t)n;
		got[len] = '\0';
	}
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void client_and_server(void **state)
{
	static struct http_answer a;
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/base/", http_server_port(server));
	assert_int_equal(http_post(url, "/x", "hello", 5, &a), 0);
	assert_int_equal(a.head.status, 200);
	assert_string_equal(a.head.type, "text/plain");
	assert_string_equal(a.body, "POST /base/x 5 hello");
	assert_int_equal(http_post("https://127.0.0.1/", "/x", "", 0, &a), -EINVAL);
	assert_int_equal(http_post("http:///", "/x", "", 0, &a), -EINVAL);
	assert_int_equal(http_post("http://a b/", "/x", "", 0, &a), -EINVAL);
	assert_int_equal(http_post("http://127.0.0.1:1", "/x", "", 0, &a), -ECONNREFUSED);
}

/* Two requests in one segment, one byte at a time, and a client that waits for "100 Continue". */
static void requests_in_any_pieces(void **state)
{
	static const char slow[] = "POST /slow HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
	int fd = dial();

	say(fd, "GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 2\r\n\r\nxy");
	expect(fd, "POST /2 2 xy");
	for (size_t i = 0; i < strlen(slow); i++)
		assert_int_equal(send(fd, slow + i, 1, MSG_NOSIGNAL), 1);
	expect(fd, "POST /slow 3 abc");
	say(fd, "POST /3 HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
	expect(fd, "HTTP/1.1 100 Continue\r\n\r\n");
	say(fd, "z");
	expect(fd, "POST /3 1 z");
	close(fd);
}

static void bad_requests_are_refused(void **state)
{
	static const struct {
		const char *text, *answer;
	} wrong[] = {
		{"nonsense\r\n\r\n", "HTTP/1.1 400 "},
		{"POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", "HTTP/1.1 413 "},
		{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 501 "},
	};
	char byte;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		int fd = dial();

		say(fd, wrong[i].text);
		expect(fd, wrong[i].answer);
		while (recv(fd, &byte, 1, 0) > 0)
			;
		close(fd);
	}
}

/* More of them than there is room for, saying nothing: each has to go within its time, and others are answered. */
static void silent_connections_go(void **state)
{
	int fd[HTTP_CONNECTIONS_MAX + 4], other;

	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		fd[i] = dial();
	other = dial();
	say(other, "GET /late HTTP/1.1\r\n\r\n");
	expect(other, "GET /late 0 ");
	close(other);
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
}

static uint64_t cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* A connection that cannot be accepted stays where it is, and poll() reports it as often as it is asked. */
static void without_descriptors_it_waits(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), taken[256], n = 0;
	struct rlimit was, now;
	uint64_t used;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	now = (struct rlimit){ARRAY_SIZE(taken), was.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	while ((taken[n] = dup(fd)) >= 0)
		n++;
	connect_to_it(fd);
	used = cpu_ms();
	usleep(400 * 1000);
	used = cpu_ms() - used;
	while (n)
		close(taken[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	if (used > 100)
		fail_msg("it used %" PRIu64 " ms of the CPU to wait for 400 ms", used);
	say(fd, "GET /later HTTP/1.1\r\n\r\n");
	expect(fd, "GET /later 0 ");
	close(fd);
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_is_taken_apart),
		cmocka_unit_test(what_is_not_understood_is_refused),
		cmocka_unit_test(response_is_taken_apart),
		cmocka_unit_test(addresses),
		cmocka_unit_test(local_addresses),
		SERVED(client_and_server),
		SERVED(requests_in_any_pieces),
		SERVED(bad_requests_are_refused),
		SERVED(silent_connections_go),
		SERVED(without_descriptors_it_waits),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
