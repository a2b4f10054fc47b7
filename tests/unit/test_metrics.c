/* SPDX-License-Identifier: BSD-2-Clause */
/* test_metrics.c - the table of metrics, and the server of their page: who may have it, when, and that it comes whole. */
#include "unit.h"

#include "base/clock.h"
#include "base/http_server.h"
#include "base/macros.h"
#include "monitor/metrics.h"
#include "monitor/metrics_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct metrics_server s;
static char path[64], address[80];

static int set_up(void **state)
{
	snprintf(path, sizeof(path), "/tmp/cachewarden-unit.%d", getpid());
	snprintf(address, sizeof(address), "unix:%s", path);
	metrics_server_want(&s, address, -1);
	return !metrics_server_ready(&s);
}

static int tear_down(void **state)
{
	metrics_server_close(&s);
	return access(path, F_OK) ? 0 : -1;
}

static int dial(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(to.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* What comes until the connection ends, to be freed. */
static char *ask(const char *request)
{
	char *got = malloc(2 * HTTP_PAGE_MAX);
	size_t len = 0;
	int fd = dial();
	ssize_t n;

	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	while ((n = recv(fd, got + len, 2 * HTTP_PAGE_MAX - 1 - len, 0)) > 0)
		len += (size_t)n;
	got[len] = '\0';
	close(fd);
	return got;
}

#define GET "GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n"

static void page(char fill, size_t len)
{
	char *text = malloc(len);

	memset(text, fill, len);
	metrics_server_page(&s, text, len);
}

static void expect(const char *request, const char *answer)
{
	char *got = ask(request);

	if (strncmp(got, answer, strlen(answer)))
		fail_msg("'%s' is answered with: %.200s", request, got);
	free(got);
}

static void only_the_page_is_served(void **state)
{
	char *got;

	page('x', 10);
	got = ask(GET);
	assert_non_null(
		strstr(got, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; "));
	assert_non_null(strstr(got, "\r\n\r\nxxxxxxxxxx"));
	free(got);
	expect("GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 404 ");
	expect("GET /metrics/x HTTP/1.0\r\n\r\n", "HTTP/1.1 404 ");
	expect("POST /metrics HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 405 ");
	expect("nonsense\r\n\r\n", "HTTP/1.1 400 ");
}

static void a_page_that_is_not_renewed_is_not_served(void **state)
{
	expect(GET, "HTTP/1.1 503 ");
	page('x', 10);
	expect(GET, "HTTP/1.1 200 ");
	pthread_mutex_lock(&s.lock);
	s.page_ns -= METRICS_STALE_NS;
	pthread_mutex_unlock(&s.lock);
	expect(GET, "HTTP/1.1 503 ");
	page('x', HTTP_PAGE_MAX + 1);
	expect(GET, "HTTP/1.1 503 ");
}

/* The largest one, while another replaces it. */
static void pages_come_whole(void **state)
{
	for (int i = 0; i < 50; i++) {
		char fill = (char)('a' + i % 26), *got, *body;
		int fd;

		page(fill, HTTP_PAGE_MAX);
		fd = dial(); /* somebody else who is at it */
		assert_true(send(fd, GET, strlen(GET), MSG_NOSIGNAL) > 0);
		page((char)(fill - 32), HTTP_PAGE_MAX);
		got = ask(GET);
		body = strstr(got, "\r\n\r\n");
		assert_non_null(body);
		body += 4;
		assert_int_equal(strlen(body), HTTP_PAGE_MAX);
		for (size_t k = 1; k < HTTP_PAGE_MAX; k++)
			assert_int_equal(body[k], body[0]);
		free(got);
		close(fd);
	}
}

static void the_group_may_have_it(void **state)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
}

/* Another server's socket is not taken. Once that one is gone, it is. */
static void an_address_in_use_is_tried_again(void **state)
{
	struct metrics_server other = {};

	metrics_server_want(&other, address, -1);
	assert_false(metrics_server_ready(&other));
	assert_int_equal(other.error, EADDRINUSE);
	metrics_server_close(&s);
	assert_false(metrics_server_ready(&other)); /* not yet */
	other.retry_ns = 0;
	assert_true(metrics_server_ready(&other));
	metrics_server_close(&other);
}

static void a_socket_left_behind_is_replaced(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(at.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
	assert_int_equal(set_up(state), 0);
	page('x', 1);
	expect(GET, "HTTP/1.1 200 ");
	assert_int_equal(tear_down(state), 0);
}

static void a_file_is_not_replaced(void **state)
{
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/cachewarden-unit.%d", getpid());
	f = fopen(path, "we");
	assert_non_null(f);
	fclose(f);
	assert_int_not_equal(set_up(state), 0);
	metrics_server_close(&s);
	assert_int_equal(unlink(path), 0);
}

/* A counter's name ends in _total, and only a counter's. */
static void the_table_is_sound(void **state)
{
	struct metric_row a, b;

	for (size_t i = 0; metrics_row(i, &a); i++) {
		const char *suffix = strstr(a.name, "_total");
		bool counter = suffix && !suffix[6];

		assert_true(!strncmp(a.name, "cachewarden_", 12) ||
			    !strncmp(a.name, "process_", 8));
		assert_int_equal(!strcmp(a.type, "counter"), counter);
		assert_true(counter || !strcmp(a.type, "gauge"));
		assert_true(strlen(a.help) > 10 && !strpbrk(a.help, "\n\\"));
		for (size_t k = 0; k < i && metrics_row(k, &b); k++)
			assert_string_not_equal(a.name, b.name);
	}
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(only_the_page_is_served),
		SERVED(a_page_that_is_not_renewed_is_not_served),
		SERVED(pages_come_whole),
		SERVED(the_group_may_have_it),
		cmocka_unit_test_setup(an_address_in_use_is_tried_again, set_up),
		cmocka_unit_test(a_socket_left_behind_is_replaced),
		cmocka_unit_test(a_file_is_not_replaced),
		cmocka_unit_test(the_table_is_sound),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
