/* SPDX-License-Identifier: BSD-2-Clause */
/* test_service.c - what is said to a service manager, with a socket in its place: a path, or a name in the abstract name space. */
#include "unit.h"

#include "base/clock.h"
#include "base/macros.h"
#include "base/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int manager;
static char path[64];
static struct service s;

static int listen_at(char first)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int len;

	snprintf(path, sizeof(path), "%c/tmp/cachewarden-unit.%d", first, getpid());
	len = snprintf(at.sun_path, sizeof(at.sun_path), "%s", first == '@' ? path : path + 1);
	if (first == '@')
		at.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setenv("NOTIFY_SOCKET", first == '@' ? path : path + 1, 1);
	return bind(manager, (struct sockaddr *)&at,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len));
}

static int set_up(void **state)
{
	return listen_at(' ');
}

static int tear_down(void **state)
{
	service_close(&s);
	close(manager);
	unlink(path + 1);
	return 0;
}

/* The next message, "" if there is none. */
static const char *heard(void)
{
	static char text[2048];
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void messages_arrive_as_they_are(void **state)
{
	service_open(&s);
	assert_null(getenv("NOTIFY_SOCKET")); /* not for children */
	service_say(&s, "READY=1");
	assert_string_equal(heard(), "READY=1");
	service_say(&s, "STATUS=%d of %s", 3, "them");
	assert_string_equal(heard(), "STATUS=3 of them");
	service_reloading(&s);
	assert_int_equal(strncmp(heard(), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	assert_string_equal(heard(), "");
}

static void a_long_message_is_cut(void **state)
{
	char text[4096];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	service_open(&s);
	service_say(&s, "STATUS=%s", text);
	assert_int_equal(strlen(heard()), 1023);
}

static void an_abstract_name_is_found(void **state)
{
	assert_int_equal(listen_at('@'), 0);
	service_open(&s);
	service_say(&s, "READY=1");
	assert_string_equal(heard(), "READY=1");
	service_close(&s);
	close(manager);
}

/* Three times in its time, as long as the loop goes round. */
static void the_watchdog_is_fed(void **state)
{
	uint64_t now = 100 * NS_PER_SEC;
	int fed = 0;

	setenv("WATCHDOG_USEC", "30000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	service_open(&s);
	service_alive(&s, now);
	assert_string_equal(heard(), ""); /* it is another process's */
	service_close(&s);
	setenv("NOTIFY_SOCKET", path + 1, 1);
	setenv("WATCHDOG_USEC", "30000000", 1);
	service_open(&s);
	for (int i = 0; i < 300; i++, now += 100 * NS_PER_MS) {
		service_alive(&s, now);
		fed += !strcmp(heard(), "WATCHDOG=1");
	}
	assert_int_equal(fed, 3);
}

/* A manager that does not read, or is gone, keeps nobody waiting. */
static void a_manager_that_does_not_listen_is_borne(void **state)
{
	uint64_t began = clock_mono_ns();

	service_open(&s);
	for (int i = 0; i < 10000; i++)
		service_say(&s, "STATUS=%d", i);
	close(manager);
	unlink(path + 1);
	service_say(&s, "READY=1");
	assert_true(clock_mono_ns() - began < 5 * NS_PER_SEC);
}

static void without_a_manager_nothing_is_said(void **state)
{
	static const char *const wrong[] = {"", "/", "@", "relative", NULL};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (wrong[i])
			setenv("NOTIFY_SOCKET", wrong[i], 1);
		else
			unsetenv("NOTIFY_SOCKET");
		setenv("WATCHDOG_USEC", "1000", 1);
		service_open(&s);
		assert_int_equal(s.fd, -1);
		service_say(&s, "READY=1");
		service_alive(&s, NS_PER_SEC);
		service_close(&s);
	}
}

/* In a child that is to be the service, it finds what this process found. */
static void the_next_process_is_told_the_same(void **state)
{
	char me[16];

	setenv("WATCHDOG_USEC", "3000000", 1);
	service_open(&s);
	assert_null(getenv("NOTIFY_SOCKET"));
	service_pass(&s);
	snprintf(me, sizeof(me), "%d", getpid());
	assert_string_equal(getenv("NOTIFY_SOCKET"), path[0] == '@' ? path : path + 1);
	assert_string_equal(getenv("WATCHDOG_USEC"), "3000000");
	assert_string_equal(getenv("WATCHDOG_PID"), me);
	service_close(&s);
	service_open(&s);
	service_say(&s, "READY=1");
	assert_string_equal(heard(), "READY=1");
}

static void the_next_process_is_told_an_abstract_name(void **state)
{
	assert_false(listen_at('@'));
	the_next_process_is_told_the_same(state);
	service_close(&s);
	close(manager);
}

/* Without a manager there is nothing to pass. */
static void the_next_process_is_told_nothing(void **state)
{
	unsetenv("NOTIFY_SOCKET");
	service_open(&s);
	service_pass(&s);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
}

/* The first descriptor that a manager passes is 3. */
static void a_socket_that_was_passed_is_taken(void **state)
{
	char me[16];
	int saved = fcntl(3, F_DUPFD_CLOEXEC, 64), fd = socket(AF_UNIX, SOCK_STREAM, 0);

	dup2(fd, 3);
	snprintf(me, sizeof(me), "%d", getpid());
	setenv("LISTEN_FDS", "1", 1);
	service_open(&s);
	assert_int_equal(s.listen_fd, -1); /* for whom? */
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", "1", 1);
	service_open(&s);
	assert_int_equal(s.listen_fd, -1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", me, 1);
	service_open(&s);
	assert_int_equal(s.listen_fd, 3);
	assert_true(fcntl(3, F_GETFD) & FD_CLOEXEC);
	assert_null(getenv("LISTEN_FDS"));
	if (saved >= 0)
		dup2(saved, 3);
	else if (fd != 3)
		close(3);
	close(fd);
}

#define MANAGED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MANAGED(messages_arrive_as_they_are),
		MANAGED(a_long_message_is_cut),
		cmocka_unit_test(an_abstract_name_is_found),
		MANAGED(the_watchdog_is_fed),
		MANAGED(a_manager_that_does_not_listen_is_borne),
		cmocka_unit_test(without_a_manager_nothing_is_said),
		MANAGED(the_next_process_is_told_the_same),
		cmocka_unit_test(the_next_process_is_told_an_abstract_name),
		cmocka_unit_test(the_next_process_is_told_nothing),
		cmocka_unit_test(a_socket_that_was_passed_is_taken),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
