// SPDX-License-Identifier: BSD-2-Clause
/* test_sink_syslog.c - RFC 5424 over TLS, against rsyslog with mutual TLS, and against servers that must not be trusted. */
#include "tls_sample.h"

#include <jansson.h>
#include <spawn.h>
#include <sys/wait.h>

#define RSYSLOGD "/usr/sbin/rsyslogd"
#define OSSL "/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_ossl.so"

extern char **environ;

static pid_t server;
static unsigned int port;

static int setup(void **state)
{
	sample_setup(state);
	tls_make_all();
	port = free_port();
	return 0;
}

static void stop_server(int sig)
{
	if (server) {
		kill(server, sig);
		waitpid(server, NULL, 0);
	}
	server = 0;
}

static int teardown(void **state)
{
	stop_server(SIGKILL);
	return sample_teardown(state);
}

static bool listening(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = !connect(fd, (struct sockaddr *)&addr, sizeof(addr));

	close(fd);
	return ok;
}

/* rsyslog with that certificate. It takes only clients that our authority knows, and writes one line per message. */
static void start_rsyslog(const char *certificate)
{
	char conf[4096], path[256];
	char *argv[] = {(char *)RSYSLOGD, (char *)"-n",	  (char *)"-f", path,
			(char *)"-i",	  (char *)"NONE", NULL};

	if (access(RSYSLOGD, X_OK) || access(OSSL, R_OK))
		skip();
	snprintf(path, sizeof(path), "%s", sample_path("rsyslog.conf"));
	snprintf(
		conf, sizeof(conf),
		"global(workDirectory=\"%s\" maxMessageSize=\"256k\" DefaultNetstreamDriver=\"ossl\"\n"
		"  DefaultNetstreamDriverCAFile=\"%s/ca.pem\"\n"
		"  DefaultNetstreamDriverCertFile=\"%s/%s.pem\"\n"
		"  DefaultNetstreamDriverKeyFile=\"%s/%s.key\")\n"
		"module(load=\"imtcp\" StreamDriver.Name=\"ossl\" StreamDriver.Mode=\"1\"\n"
		"  StreamDriver.AuthMode=\"x509/certvalid\")\n"
		"input(type=\"imtcp\" address=\"127.0.0.1\" port=\"%u\")\n"
		"template(name=\"facts\" type=\"string\" string=\"%%pri%%|%%protocol-version%%|%%timereported:::date-rfc3339%%"
		"|%%hostname%%|%%app-name%%|%%procid%%|%%msgid%%|%%structured-data%%|%%msg:::drop-last-lf%%\\n\")\n"
		"action(type=\"omfile\" file=\"%s/received\" template=\"facts\")\n",
		sample_dir, sample_dir, sample_dir, certificate, sample_dir, certificate, port,
		sample_dir);
	sample_write(path, conf);
	assert_int_equal(posix_spawn(&server, RSYSLOGD, NULL, NULL, argv, environ), 0);
	sample_until(listening());
}

static void open_syslog_sink(const char *host, const char *client, const char *server_name)
{
	static char to[300], ca[256], cert[256], key[256];
	struct policy_sink c = {.name = "sample", .to = to, .ca = ca, .severity = SEVERITY_INFO};
	char file[64];

	snprintf(to, sizeof(to), "syslog:%s:%u", host, port);
	snprintf(ca, sizeof(ca), "%s", sample_path("ca.pem"));
	c.server_name = (char *)server_name;
	if (client) {
		snprintf(file, sizeof(file), "%s.pem", client);
		snprintf(cert, sizeof(cert), "%s", sample_path(file));
		snprintf(file, sizeof(file), "%s.key", client);
		snprintf(key, sizeof(key), "%s", sample_path(file));
		c.cert = cert;
		c.key = key;
	}
	sample_open(&c);
}

static const char *received(void)
{
	return sample_read(sample_path("received"));
}

static bool has_received(unsigned int number)
{
	char id[64];

	snprintf(id, sizeof(id), " id=\"0123456789abcdef-i%u\"", number);
	return strstr(received(), id);
}

/* How many lines rsyslog has about that incident. */
static unsigned int times_received(unsigned int number)
{
	unsigned int n = 0;
	char id[64];

	snprintf(id, sizeof(id), " id=\"0123456789abcdef-i%u\"", number);
	for (const char *at = received(); (at = strstr(at, id)); at++)
		n++;
	return n;
}

static unsigned int times_said(const char *text)
{
	unsigned int n = 0;

	for (const char *at = sample_read(sample_path("stderr")); (at = strstr(at, text)); at++)
		n++;
	return n;
}

static void send_incidents(unsigned int first, unsigned int last)
{
	for (unsigned int i = first; i <= last; i++)
		sample_incident(i, INCIDENT_OPENED, SEVERITY_CRITICAL);
}

/* --- the real server --- */

static void rsyslog_understands_every_part_of_a_message(void **state)
{
	static char line[65536];
	const char *field[9];
	unsigned int said;
	size_t n = 0;
	json_t *j;

	start_rsyslog("server");
	open_syslog_sink("127.0.0.1", "client", NULL);
	send_incidents(1, 1);
	sample_until(strchr(received(), '\n'));
	memccpy(line, received(), '\n', sizeof(line) - 1);
	line[strcspn(line, "\n")] = '\0';
	for (char *at = line; at && n < ARRAY_SIZE(field); n++) {
		field[n] = at;
		at = n < 8 ? strchr(at, '|') : NULL;
		if (at)
			*at++ = '\0';
	}
	assert_int_equal(n, 9);
	assert_string_equal(field[0], "82"); /* 10 * 8 + 2: authorization, critical */
	assert_string_equal(field[1], "1");
	assert_int_equal(strncmp(field[2], "20", 2), 0);
	assert_string_equal(field[4], "cachewarden");
	assert_string_equal(field[5], "-");
	assert_string_equal(field[6], "mem-read");
	assert_non_null(strstr(field[7],
			       "[cachewarden@32473 title=\"A process reads the server's memory: "
			       "redis-server:6379 by gdb(4711)\""));
	assert_non_null(strstr(field[7], " severity=\"critical\""));
	assert_non_null(strstr(field[7], " actor_exe=\"/usr/bin/gdb\""));
	j = json_loads(strchr(field[8], '{'), 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(j, "class_uid")), 2004);
	json_decref(j);
	sample_heartbeat(1);
	sample_until(strstr(received(), "kind=\"heartbeat\""));
	said = times_said("unexpected eof"); /* by whoever asked whether it listens */
	sample_close();
	stop_server(SIGTERM);
	assert_int_equal(times_said("unexpected eof"), said);
}

static void a_value_cannot_end_the_structured_data(void **state)
{
	char name[sizeof(sample_instance.name)];

	strcpy(name, sample_instance.name);
	strcpy(sample_instance.name, "a\"] x\\");
	start_rsyslog("server");
	open_syslog_sink("localhost", "client", NULL);
	send_incidents(1, 1);
	strcpy(sample_instance.name, name);
	sample_until(strchr(received(), '\n'));
	assert_non_null(strstr(received(), " instance=\"a\\\"\\] x\\\\\" "));
	assert_non_null(strstr(received(), " actor_exe=\"/usr/bin/gdb\""));
}

static void a_client_without_a_certificate_is_refused_and_says_so(void **state)
{
	start_rsyslog("server");
	open_syslog_sink("127.0.0.1", NULL, NULL);
	send_incidents(1, 3);
	sample_until(sample_said("certificate required; trying again"));
	assert_int_equal(sample_status().delivered, 0);
	assert_int_equal(sample_status().lag, 3);
	sample_close();
	open_syslog_sink("127.0.0.1", "stranger", NULL);
	send_incidents(4, 4);
	sample_until(sample_status().failing_s);
	assert_int_equal(sample_status().delivered, 0);
	assert_string_equal(received(), "");
}

static void a_server_that_restarts_gets_everything(void **state)
{
	start_rsyslog("server");
	open_syslog_sink("127.0.0.1", "client", NULL);
	send_incidents(1, 20);
	sample_until(has_received(20));
	stop_server(SIGTERM);
	send_incidents(21, 40);
	sample_until(sample_said("Connection refused; trying again"));
	start_rsyslog("server");
	sample_until(sample_status().delivered == 40);
	for (unsigned int i = 1; i <= 40; i++)
		sample_until(has_received(i));
	assert_int_equal(sample_status().dropped, 0);
	for (unsigned int i = 1; i <= 20; i++)
		assert_int_equal(times_received(i), 1);
	sample_until(sample_said("delivers again"));
}

/* It is stopped, so its host takes what the socket holds; the rest waits, and so does no one else. */
static void a_server_that_hangs_delays_nobody_and_loses_nothing(void **state)
{
	uint64_t before;

	start_rsyslog("server");
	open_syslog_sink("127.0.0.1", "client", NULL);
	send_incidents(1, 1);
	sample_until(has_received(1));
	kill(server, SIGSTOP);
	before = clock_mono_ns();
	send_incidents(2, 1500);
	assert_true(clock_mono_ns() - before < 5 * NS_PER_SEC);
	sample_until(sample_status().delivered > 2);
	kill(server, SIGCONT);
	sample_until(sample_status().delivered == 1500);
	sample_until(has_received(1500));
	for (unsigned int i = 1; i <= 1500; i += 7)
		assert_true(has_received(i));
	assert_int_equal(sample_status().dropped, 0);
}

/* --- servers that are not to be trusted --- */

static void expect_untrusted(const char *certificate, const char *host, const char *why)
{
	start_rsyslog(certificate);
	open_syslog_sink(host, "client", NULL);
	send_incidents(1, 2);
	sample_until(sample_said(why));
	assert_int_equal(sample_status().delivered, 0);
	assert_int_equal(sample_status().lag, 2);
	assert_int_equal(sample_status().dropped, 0);
	assert_string_equal(received(), "");
}

static void an_expired_certificate_is_refused(void **state)
{
	expect_untrusted("expired", "127.0.0.1",
			 "127.0.0.1: certificate has expired; trying again");
}

static void the_certificate_of_another_name_is_refused(void **state)
{
	expect_untrusted("other", "localhost", "localhost: hostname mismatch; trying again");
}

static void the_certificate_of_another_address_is_refused(void **state)
{
	expect_untrusted("other", "127.0.0.1", "127.0.0.1: IP address mismatch; trying again");
}

static void a_certificate_of_another_authority_is_refused(void **state)
{
	expect_untrusted("stranger", "127.0.0.1",
			 "127.0.0.1: self-signed certificate; trying again");
}

static void the_name_to_expect_can_be_given(void **state)
{
	start_rsyslog("other");
	open_syslog_sink("127.0.0.1", "client", "other.example");
	send_incidents(1, 1);
	sample_until(has_received(1));
}

static void a_server_that_never_answers_is_given_up_in_time(void **state)
{
	int fd = hanging_listener(port);

	open_syslog_sink("127.0.0.1", "client", NULL);
	send_incidents(1, 1);
	sample_until(sample_said("127.0.0.1: no answer in time; trying again"));
	close(fd);
	assert_int_equal(sample_status().lag, 1);
}

/* --- files --- */

static void expect_file_refused(const char *why)
{
	open_syslog_sink("127.0.0.1", "client", NULL);
	sample_expect_refused(why);
	assert_int_equal(sample_status().pid, 0);
	sample_close();
}

static void files_that_cannot_be_used_are_named(void **state)
{
	assert_int_equal(chmod(sample_path("client.key"), 0640), 0);
	expect_file_refused("client.key: mode 0640 lets others than its owner use it");
	assert_int_equal(chmod(sample_path("client.key"), 0600), 0);
	sample_write(sample_path("client.key"), sample_read(sample_path("other.key")));
	expect_file_refused("client.key: not the certificate's key");
	sample_write(sample_path("client.key"), "");
	expect_file_refused("client.key: no private key that can be read");
	sample_write(sample_path("client.pem"), "x");
	expect_file_refused("client.pem: no certificate that can be read");
	unlink(sample_path("ca.pem"));
	expect_file_refused("ca.pem: no certificate that can be read");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(rsyslog_understands_every_part_of_a_message),
		T(a_value_cannot_end_the_structured_data),
		T(a_client_without_a_certificate_is_refused_and_says_so),
		T(a_server_that_restarts_gets_everything),
		T(a_server_that_hangs_delays_nobody_and_loses_nothing),
		T(an_expired_certificate_is_refused),
		T(the_certificate_of_another_name_is_refused),
		T(the_certificate_of_another_address_is_refused),
		T(a_certificate_of_another_authority_is_refused),
		T(the_name_to_expect_can_be_given),
		T(a_server_that_never_answers_is_given_up_in_time),
		T(files_that_cannot_be_used_are_named),
	};

	return cmocka_run_group_tests_name("sink_syslog", tests, NULL, NULL);
}
