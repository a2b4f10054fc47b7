// SPDX-License-Identifier: BSD-2-Clause
/* Records from the ring, JSON and text out of alerts, lines to a reader who is slow or gone. */
#include "unit.h"

#include "sensor/collector.h"
#include "report/finding.h"
#include "base/output.h"
#include "monitor/reset.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct event sample(void)
{
	struct event ev = {
		.magic = EVENT_MAGIC,
		.version = EVENT_VERSION,
		.type = EVENT_ATTEMPT,
		.size = sizeof(ev),
		.flags = EVENT_ACTOR,
		.key = {.rule = RULE_MEM_READ,
			.vector = VECTOR_PROCESS_VM_READV,
			.instance = 1,
			.tgid = 99},
	};

	ev.actor.pid = 99;
	ev.actor.tid = 99;
	strcpy(ev.actor.comm, "cat");
	return ev;
}

/* --- records --- */

static void whole_record_is_taken(void **state)
{
	struct event ev = sample();
	const char *why;

	assert_true(collector_valid(&ev, sizeof(ev), &why));
	assert_null(why);
}

static void record_cut_at_any_byte_is_refused(void **state)
{
	struct event ev = sample();
	const char *why;

	for (size_t n = 0; n < sizeof(ev); n++) {
		unsigned char *cut = malloc(
			n ? n : 1); /* exact room: a read beyond is seen by ASan and valgrind */

		memcpy(cut, &ev, n);
		assert_false(collector_valid(cut, n, &why));
		assert_non_null(why);
		free(cut);
	}
}

static void foreign_record_is_refused(void **state)
{
	struct event ev = sample();
	const char *why;

	ev.magic = 1;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = sample();
	ev.version++;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = sample();
	ev.type = EVENT_MAX;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = sample();
	ev.key.rule = RULE_MAX;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = sample();
	ev.actor.ancestors = ANCESTORS_MAX + 1;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = sample();
	memset(ev.actor.comm, 'x', sizeof(ev.actor.comm));
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = sample();
	ev.actor.exe.off = PATH_LEN;
	ev.actor.exe.len = 1;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
}

/* --- JSON --- */

static void json_escapes_what_json_forbids(void **state)
{
	struct jsonw j = {};
	json_t *back;
	size_t len;

	jsonw_object(&j, NULL);
	jsonw_string(&j, "s", "a\"b\\c\n\x01\xff\xc3\xa9\xe2\x82");
	jsonw_end_object(&j);
	back = json_loads(jsonw_done(&j, &len), 0, NULL);
	assert_non_null(back);
	assert_string_equal(json_string_value(json_object_get(back, "s")),
			    "a\"b\\c\n\x01\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd");
	json_decref(back);
	jsonw_free(&j);
}

static void json_left_open_is_not_given_out(void **state)
{
	struct jsonw j = {};
	size_t len;

	jsonw_object(&j, NULL);
	assert_null(jsonw_done(&j, &len));
	jsonw_free(&j);
}

static void finding_is_one_line_of_ocsf(void **state)
{
	struct alert a = {.ev = sample(), .count = 4, .detailed = true};
	struct instance in = {
		.id = 1, .pid = 7, .ports = 1, .port = {6379}, .name = "redis-server:6379"};
	struct finding *f = calloc(1, sizeof(*f));
	struct jsonw j = {};
	const char *line;
	json_t *back, *own;
	size_t len;

	finding_fill(f, &a, &in, NULL);
	f->uid_prefix = "x";
	line = finding_json(f, &j, &len);
	assert_non_null(line);
	assert_ptr_equal(strchr(line, '\n'), line + len - 1);
	back = json_loads(line, 0, NULL);
	assert_non_null(back);
	assert_int_equal(json_integer_value(json_object_get(back, "class_uid")), 2004);
	assert_int_equal(json_integer_value(json_object_get(back, "type_uid")), 200401);
	assert_int_equal(json_integer_value(json_object_get(back, "severity_id")), 5);
	own = json_object_get(json_object_get(back, "unmapped"), "cachewarden");
	assert_string_equal(json_string_value(json_object_get(own, "rule")), "mem-read");
	assert_int_equal(json_integer_value(json_object_get(own, "count")), 4);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(own, "actor"), "pid")),
			 99);
	json_decref(back);
	jsonw_free(&j);
	free(f);
}

static void text_does_not_obey_an_actors_name(void **state)
{
	struct alert a = {.ev = sample(), .count = 1, .detailed = true};
	struct finding *f = calloc(1, sizeof(*f));
	char line[8192];

	strcpy(a.ev.actor.comm, "x\033[2J\n");
	finding_fill(f, &a, NULL, NULL);
	finding_text(f, line, sizeof(line), false);
	assert_null(strchr(line, '\033'));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_non_null(strstr(line, "x\\x1b[2J\\x0a(99)"));
	free(f);
}

static void only_a_terminal_gets_colours(void **state)
{
	struct alert a = {.ev = sample(), .count = 1, .detailed = true};
	struct finding *f = calloc(1, sizeof(*f));
	char line[8192];

	finding_fill(f, &a, NULL, NULL);
	finding_text(f, line, sizeof(line), true);
	assert_non_null(strstr(line, "\033["));
	assert_non_null(strstr(line, "\033[0m"));
	finding_text(f, line, sizeof(line), false);
	assert_null(strchr(line, '\033'));
	free(f);
}

static void text_longer_than_its_room_is_cut_with_its_newline(void **state)
{
	struct alert a = {.ev = sample(), .count = 1, .detailed = true};
	struct finding *f = calloc(1, sizeof(*f));
	char line[40];
	size_t len;

	finding_fill(f, &a, NULL, NULL);
	len = finding_text(f, line, sizeof(line), false);
	assert_in_range(len, 1, sizeof(line) - 1);
	assert_int_equal(line[len - 1], '\n');
	free(f);
}

/* --- output --- */

static void slow_reader_never_blocks_and_gets_all_in_the_end(void **state)
{
	struct output o;
	char line[1000], buf[1000];
	int p[2];
	size_t got = 0, sent = 0;

	assert_int_equal(pipe(p), 0);
	memset(line, 'a', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	output_init(&o, p[1]);
	for (int i = 0; i < 500; i++, sent += sizeof(line)) /* seven pipes' worth */
		output_line(&o, line, sizeof(line));
	assert_true(o.len > 0);
	while (got < sent) {
		ssize_t n = read(p[0], buf, sizeof(buf));

		assert_true(n > 0);
		got += (size_t)n;
		output_pump(&o, 0);
	}
	assert_int_equal(o.dropped, 0);
	assert_true(output_pump(&o, 0));
	output_free(&o);
	close(p[0]);
	close(p[1]);
}

static void reader_that_stands_still_costs_bounded_memory(void **state)
{
	struct output o;
	static char line[100000];
	int p[2];

	assert_int_equal(pipe(p), 0);
	line[sizeof(line) - 1] = '\n';
	output_init(&o, p[1]);
	for (int i = 0; i < 200; i++)
		output_line(&o, line, sizeof(line));
	assert_true(o.len <= OUTPUT_PENDING_MAX);
	assert_true(o.dropped > 100);
	output_free(&o);
	close(p[0]);
	close(p[1]);
}

static void reader_that_left_is_an_error_and_counted(void **state)
{
	struct output o;
	int p[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(p), 0);
	close(p[0]);
	output_init(&o, p[1]);
	output_line(&o, "x\n", 2);
	assert_int_equal(o.error, EPIPE);
	assert_int_equal(o.dropped, 1);
	output_free(&o);
	close(p[1]);
}

static void full_device_is_an_error_and_counted(void **state)
{
	struct output o;
	int fd = open("/dev/full", O_WRONLY);

	output_init(&o, fd);
	output_line(&o, "x\n", 2);
	assert_int_equal(o.error, ENOSPC);
	assert_int_equal(o.dropped, 1);
	output_free(&o);
	close(fd);
}

/* In a network namespace of its own, whose only listener this is. Returns 0, or the step that went wrong. */
static int reset_by_ends(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at), one = sizeof(int);
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	struct conn_info c = {};
	const char *step;
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	int listens = 0, err;
	char byte;

	if (ioctl(server, SIOCSIFFLAGS, &lo) || listen(server, 8) ||
	    getsockname(server, (struct sockaddr *)&at, &len))
		return 1;
	c.ends.local_port = ntohs(at.sin_port);
	c.ends.remote_port = 9;
	memcpy(c.ends.local_ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
	memcpy(c.ends.remote_ip, c.ends.local_ip, 16);
	if (reset_connection(&c, 0, &step) != -ENOENT)
		return 2;
	if (getsockopt(server, SOL_SOCKET, SO_ACCEPTCONN, &listens, &one) || !listens)
		return 3;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(client, (struct sockaddr *)&at, sizeof(at)) ||
	    getsockname(client, (struct sockaddr *)&at, &len))
		return 4;
	c.ends.remote_port = ntohs(at.sin_port);
	err = reset_connection(&c, 0, &step);
	if (err == -EOPNOTSUPP) /* a kernel without INET_DIAG_DESTROY */
		return 0;
	return err || recv(client, &byte, 1, 0) != -1 || errno != ECONNRESET ? 5 : 0;
}

static void reset_without_a_cookie_spares_the_listener(void **state)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		_exit(unshare(CLONE_NEWNET | (geteuid() ? CLONE_NEWUSER : 0)) ? 77
									      : reset_by_ends());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip(); /* no network namespace to be had */
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* By somebody who may not look at it: the first process's namespace. */
static int reset_elsewhere(pid_t pid)
{
	struct conn_info c = {.cookie = 1};
	const char *step = "";

	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		return 77;
	if (!access("/proc/1/ns/net", R_OK))
		return 77;
	if (reset_connection(&c, 1, &step) != -EACCES || !strstr(step, "network namespace"))
		return 1;
	return reset_connection(&c, pid, &step) == -ESRCH ? 0 : 2;
}

static void reset_looks_in_no_other_namespace_than_the_servers(void **state)
{
	pid_t gone = fork(), pid;
	int status = 0;

	if (!gone)
		_exit(0);
	assert_int_equal(waitpid(gone, &status, 0), gone);
	pid = fork();
	if (!pid)
		_exit(geteuid() ? 77 : reset_elsewhere(gone));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip(); /* we are nobody ourselves */
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_record_is_taken),
		cmocka_unit_test(record_cut_at_any_byte_is_refused),
		cmocka_unit_test(foreign_record_is_refused),
		cmocka_unit_test(json_escapes_what_json_forbids),
		cmocka_unit_test(json_left_open_is_not_given_out),
		cmocka_unit_test(finding_is_one_line_of_ocsf),
		cmocka_unit_test(text_does_not_obey_an_actors_name),
		cmocka_unit_test(only_a_terminal_gets_colours),
		cmocka_unit_test(text_longer_than_its_room_is_cut_with_its_newline),
		cmocka_unit_test(slow_reader_never_blocks_and_gets_all_in_the_end),
		cmocka_unit_test(reader_that_stands_still_costs_bounded_memory),
		cmocka_unit_test(reader_that_left_is_an_error_and_counted),
		cmocka_unit_test(full_device_is_an_error_and_counted),
		cmocka_unit_test(reset_without_a_cookie_spares_the_listener),
		cmocka_unit_test(reset_looks_in_no_other_namespace_than_the_servers),
	};

	return cmocka_run_group_tests_name("edge", tests, NULL, NULL);
}
