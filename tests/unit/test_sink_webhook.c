// SPDX-License-Identifier: BSD-2-Clause
/* test_sink_webhook.c - a POST for each message: signature, answers of the server, TLS, and servers that are not there. */
#include "http_sample.h"

#include <jansson.h>
#include <openssl/hmac.h>

static int setup(void **state)
{
	sample_setup(state);
	tls_make_all();
	http_port = free_port();
	return 0;
}

static int teardown(void **state)
{
	http_stop();
	return sample_teardown(state);
}

static struct policy_sink config(const char *scheme, const char *host)
{
	static char to[300];

	snprintf(to, sizeof(to), "webhook:%s://%s:%u/hook?token=hunter2", scheme, host, http_port);
	return (struct policy_sink){.name = "sample", .to = to, .severity = SEVERITY_INFO};
}

static void open_plain(void)
{
	struct policy_sink c = config("http", "127.0.0.1");

	sample_open(&c);
}

static void open_tls(const char *host, bool with_certificate)
{
	struct policy_sink c = config("https", host);

	c.ca = (char *)sample_path("ca.pem");
	if (with_certificate) {
		c.cert = (char *)sample_path("client.pem");
		c.key = (char *)sample_path("client.key");
	}
	sample_open(&c);
}

static void send_incidents(unsigned int first, unsigned int last)
{
	for (unsigned int i = first; i <= last; i++)
		sample_incident(i, INCIDENT_OPENED, SEVERITY_HIGH);
}

/* The URL may hold a secret. */
static void expect_no_secret_in_the_log(void)
{
	assert_false(sample_said("hunter2"));
}

static void every_message_is_a_post_of_json(void **state)
{
	const char *body;
	json_t *j;

	http_start(NULL);
	open_plain();
	send_incidents(1, 1);
	sample_until(sample_status().delivered == 1);
	assert_int_equal(strncmp(http_requests(), "POST /hook?token=hunter2 HTTP/1.1\r\n", 35), 0);
	assert_int_equal(http_count("\r\nContent-Type: application/json\r\n"), 1);
	assert_int_equal(http_count("\r\nUser-Agent: cachewarden/"), 1);
	assert_int_equal(http_count("X-Cachewarden-Signature"), 0);
	body = strstr(http_requests(), "\r\n\r\n") + 4;
	j = json_loads(body, JSON_DISABLE_EOF_CHECK, NULL);
	assert_int_equal(json_integer_value(json_object_get(j, "class_uid")), 2004);
	json_decref(j);
	sample_incident(1, INCIDENT_CLOSED, SEVERITY_HIGH);
	sample_heartbeat(1);
	sample_until(sample_status().delivered == 3);
	assert_int_equal(http_count("\"kind\":\"heartbeat\""), 1);
}

static void the_signature_covers_time_and_body(void **state)
{
	static const char secret[] = "correct horse";
	struct policy_sink c = config("http", "127.0.0.1");
	const char *time, *signature, *body;
	unsigned char digest[32];
	char signed_text[65536], hex[65];
	size_t len;

	sample_write(sample_path("secret"), "correct horse\nsecond line\n");
	c.secret_file = (char *)sample_path("secret");
	http_start(NULL);
	sample_open(&c);
	send_incidents(1, 1);
	sample_until(sample_status().delivered == 1);
	time = strstr(http_requests(), "\r\nX-Cachewarden-Timestamp: ");
	signature = strstr(time, "\r\nX-Cachewarden-Signature: sha256=");
	body = strstr(time, "\r\n\r\n") + 4;
	assert_non_null(signature);
	time += strlen("\r\nX-Cachewarden-Timestamp: ");
	signature += strlen("\r\nX-Cachewarden-Signature: sha256=");
	assert_in_range(strtoll(time, NULL, 10), clock_epoch_ms(clock_boot_ns()) / 1000 - 60,
			clock_epoch_ms(clock_boot_ns()) / 1000);
	len = (size_t)snprintf(signed_text, sizeof(signed_text), "%.*s.%.*s",
			       (int)strcspn(time, "\r"), time, (int)strcspn(body, "\n"), body);
	HMAC(EVP_sha256(), secret, sizeof(secret) - 1, (unsigned char *)signed_text, len, digest,
	     NULL);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_int_equal(strncmp(signature, hex, 64), 0);
	assert_false(sample_said(secret));
}

static void a_secret_that_others_can_read_is_refused(void **state)
{
	struct policy_sink c = config("http", "127.0.0.1");

	sample_write(sample_path("secret"), "correct horse\n");
	assert_int_equal(chmod(sample_path("secret"), 0644), 0);
	c.secret_file = (char *)sample_path("secret");
	sample_open(&c);
	sample_expect_refused("secret: mode 0644 lets others than its owner use it");
	send_incidents(1, 1);
	assert_int_equal(sample_status().dropped, 1);
}

static void a_server_that_is_overloaded_gets_the_message_later(void **state)
{
	http_start(NULL);
	sample_write(sample_path("answer"), "503 Service Unavailable");
	open_plain();
	send_incidents(1, 3);
	sample_until(sample_said("the server answered with status 503; trying again"));
	assert_int_equal(sample_status().delivered, 0);
	unlink(sample_path("requests"));
	sample_write(sample_path("answer"), "204 No Content");
	sample_until(sample_status().delivered == 3);
	for (unsigned int i = 1; i <= 3; i++) {
		char id[64];

		snprintf(id, sizeof(id), "-i%u\",\"title\"", i);
		assert_true(http_count(id) >= 1);
	}
	assert_int_equal(sample_status().dropped, 0);
	expect_no_secret_in_the_log();
}

static void a_message_the_server_calls_wrong_is_lost_and_counted(void **state)
{
	http_start(NULL);
	sample_write(sample_path("answer"), "422 Unprocessable");
	open_plain();
	send_incidents(1, 1);
	sample_until(sample_status().dropped == 1);
	sample_until(sample_said("a message is lost: the server answered with status 422"));
	sample_write(sample_path("answer"), "200 OK");
	send_incidents(2, 2);
	sample_until(sample_status().delivered == 1);
	expect_no_secret_in_the_log();
}

static void a_redirect_is_not_followed(void **state)
{
	http_start(NULL);
	sample_write(sample_path("answer"), "307 Temporary Redirect");
	open_plain();
	send_incidents(1, 1);
	sample_until(sample_said("the server answered with status 307; trying again"));
	assert_int_equal(sample_status().delivered, 0);
}

static void a_server_that_restarts_gets_everything(void **state)
{
	open_plain();
	send_incidents(1, 2);
	sample_until(sample_said("Connection refused; trying again") ||
		     sample_said("Couldn't connect to server; trying again"));
	expect_no_secret_in_the_log();
	http_start(NULL);
	sample_until(sample_status().delivered == 2);
	http_stop();
	send_incidents(3, 4);
	sample_until(sample_status().failing_s);
	http_start(NULL);
	sample_until(sample_status().delivered == 4);
	assert_int_equal(http_count("POST "), 4);
	assert_int_equal(sample_status().dropped, 0);
}

static void a_server_that_hangs_delays_nobody_and_loses_nothing(void **state)
{
	uint64_t before = clock_mono_ns();

	http_start(NULL);
	open_plain();
	kill(http_server, SIGSTOP);
	send_incidents(1, 300);
	assert_true(clock_mono_ns() - before < 5 * NS_PER_SEC);
	sample_until(sample_said("timed out") || sample_said("imeout"));
	assert_int_equal(sample_status().lag, 300);
	kill(http_server, SIGCONT);
	sample_until(sample_status().delivered == 300);
	assert_int_equal(sample_status().dropped, 0);
}

/* --- services --- */

static void open_service(enum policy_template templ)
{
	struct policy_sink c = config("http", "127.0.0.1");

	if (templ == TEMPLATE_PAGERDUTY) {
		sample_write(sample_path("secret"), "R0UT1NGKEY\n");
		c.secret_file = (char *)sample_path("secret");
	}
	c.templ = templ;
	http_start(NULL);
	sample_open(&c);
}

/* The body of a request, the first is 0. */
static json_t *body_of(unsigned int number)
{
	const char *at = http_requests();
	json_t *j;

	for (unsigned int i = 0; i <= number; i++)
		at = strstr(at, "\r\n\r\n") + 4;
	j = json_loads(at, JSON_DISABLE_EOF_CHECK, NULL);
	assert_non_null(j);
	return j;
}

static const char *member(const json_t *j, const char *in, const char *name)
{
	const char *text =
		json_string_value(json_object_get(in ? json_object_get(j, in) : j, name));

	return text ?: "";
}

/* An update that makes nothing worse, a heartbeat: nobody is told. */
static void send_a_life(void)
{
	sample_incident(1, INCIDENT_OPENED, SEVERITY_MEDIUM);
	sample_incident(1, INCIDENT_UPDATED, SEVERITY_MEDIUM);
	sample_heartbeat(1);
	sample_incident(1, INCIDENT_UPDATED, SEVERITY_CRITICAL);
	sample_incident(1, INCIDENT_UPDATED, SEVERITY_CRITICAL);
	sample_incident(1, INCIDENT_CLOSED, SEVERITY_CRITICAL);
	sample_until(sample_status().delivered == 6);
}

static void slack_hears_of_beginning_worsening_and_end(void **state)
{
	static const char title[] =
		"A process reads the server's memory: redis-server:6379 by gdb(4711) on ";
	static const char *const words[] = {"*medium* ", "*critical* ", "*over* "};
	json_t *j;

	open_service(TEMPLATE_SLACK);
	send_a_life();
	assert_int_equal(http_count("POST "), ARRAY_SIZE(words));
	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++) {
		const char *text;

		j = body_of(i);
		text = member(j, NULL, "text");
		assert_int_equal(strncmp(text, words[i], strlen(words[i])), 0);
		assert_int_equal(strncmp(text + strlen(words[i]), title, sizeof(title) - 1), 0);
		json_decref(j);
	}
}

/* A name that an attacker chose is neither a link nor a mention of everybody. */
static void slack_gets_no_markup_from_a_name(void **state)
{
	char name[sizeof(sample_instance.name)];
	json_t *j;

	strcpy(name, sample_instance.name);
	strcpy(sample_instance.name, "<!channel>&");
	open_service(TEMPLATE_SLACK);
	send_incidents(1, 1);
	strcpy(sample_instance.name, name);
	sample_until(sample_status().delivered == 1);
	j = body_of(0);
	assert_non_null(strstr(member(j, NULL, "text"), ": &lt;!channel&gt;&amp; by "));
	assert_null(strchr(member(j, NULL, "text"), '<'));
	json_decref(j);
}

static void pagerduty_triggers_and_resolves_one_alert(void **state)
{
	static const char *const actions[] = {"trigger", "trigger", "resolve"},
				 *const severities[] = {"warning", "critical", "critical"};
	json_t *j;

	open_service(TEMPLATE_PAGERDUTY);
	send_a_life();
	assert_int_equal(http_count("POST "), ARRAY_SIZE(actions));
	assert_int_equal(http_count("X-Cachewarden-Signature"), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(actions); i++) {
		j = body_of(i);
		assert_string_equal(member(j, NULL, "routing_key"), "R0UT1NGKEY");
		assert_string_equal(member(j, NULL, "event_action"), actions[i]);
		assert_string_equal(member(j, NULL, "dedup_key"), "0123456789abcdef-i1");
		assert_string_equal(member(j, "payload", "severity"), severities[i]);
		assert_string_equal(member(j, "payload", "component"), "redis-server:6379");
		assert_string_equal(member(j, "payload", "class"), "mem-read");
		assert_string_not_equal(member(j, "payload", "source"), "");
		assert_string_equal(
			member(j, "payload", "summary"),
			"A process reads the server's memory: redis-server:6379 by gdb(4711)");
		assert_string_equal(
			member(json_object_get(j, "payload"), "custom_details", "actor_exe"),
			"/usr/bin/gdb");
		json_decref(j);
	}
	assert_false(sample_said("R0UT1NGKEY"));
}

/* --- TLS --- */

static void a_client_certificate_is_shown(void **state)
{
	http_start("server");
	open_tls("localhost", true);
	send_incidents(1, 2);
	sample_until(sample_status().delivered == 2);
	assert_int_equal(http_count("POST "), 2);
}

static void expect_untrusted(const char *certificate, const char *host, bool with_certificate,
			     const char *why)
{
	http_start(certificate);
	open_tls(host, with_certificate);
	send_incidents(1, 1);
	sample_until(sample_status().failing_s);
	sample_until(sample_said("; trying again"));
	if (!sample_said(why))
		sample_fail("'%s' was not said, but: %s", why, sample_read(sample_path("stderr")));
	assert_int_equal(sample_status().delivered, 0);
	assert_string_equal(http_requests(), "");
	expect_no_secret_in_the_log();
}

/* The server's alert may be lost in the reset that follows it. */
static void a_client_without_a_certificate_is_refused(void **state)
{
	expect_untrusted("server", "localhost", false, "; trying again");
}

static void an_expired_certificate_is_refused(void **state)
{
	expect_untrusted("expired", "localhost", true, "certificate has expired");
}

static void the_certificate_of_another_name_is_refused(void **state)
{
	expect_untrusted("other", "localhost", true, "target host name");
}

static void a_certificate_of_another_authority_is_refused(void **state)
{
	expect_untrusted("stranger", "localhost", true, "self-signed certificate");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_message_is_a_post_of_json),
		T(the_signature_covers_time_and_body),
		T(a_secret_that_others_can_read_is_refused),
		T(a_server_that_is_overloaded_gets_the_message_later),
		T(a_message_the_server_calls_wrong_is_lost_and_counted),
		T(a_redirect_is_not_followed),
		T(a_server_that_restarts_gets_everything),
		T(a_server_that_hangs_delays_nobody_and_loses_nothing),
		T(slack_hears_of_beginning_worsening_and_end),
		T(slack_gets_no_markup_from_a_name),
		T(pagerduty_triggers_and_resolves_one_alert),
		T(a_client_certificate_is_shown),
		T(a_client_without_a_certificate_is_refused),
		T(an_expired_certificate_is_refused),
		T(the_certificate_of_another_name_is_refused),
		T(a_certificate_of_another_authority_is_refused),
	};

	return cmocka_run_group_tests_name("sink_webhook", tests, NULL, NULL);
}
