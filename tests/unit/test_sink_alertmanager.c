// SPDX-License-Identifier: BSD-2-Clause
/* test_sink_alertmanager.c - incidents as alerts, in the real Alertmanager. */
#include "http_sample.h"

#include <jansson.h>
#include <spawn.h>
#include <sys/stat.h>

#define ALERTMANAGER "/usr/bin/prometheus-alertmanager"

extern char **environ;

static pid_t server;
static json_t *alerts; /* as of the last query */

static int setup(void **state)
{
	sample_setup(state);
	http_port = free_port();
	return 0;
}

static void stop(void)
{
	if (server) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	server = 0;
}

static int teardown(void **state)
{
	stop();
	http_stop();
	json_decref(alerts);
	alerts = NULL;
	return sample_teardown(state);
}

/* What the server answers to GET PATH. */
static const char *get(const char *what)
{
	static char answer[1u << 20];
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)http_port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t n, len = 0;

	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		dprintf(fd, "GET %s HTTP/1.0\r\n\r\n", what);
		while ((n = read(fd, answer + len, sizeof(answer) - 1 - (size_t)len)) > 0)
			len += n;
	}
	close(fd);
	answer[len] = '\0';
	return answer;
}

static bool ready(void)
{
	return strstr(get("/-/ready"), " 200 ");
}

static void start(void)
{
	char conf[128], storage[160], listen[64];
	char *argv[] = {(char *)ALERTMANAGER,
			conf,
			storage,
			listen,
			(char *)"--cluster.listen-address=",
			(char *)"--log.level=error",
			NULL};

	if (access(ALERTMANAGER, X_OK))
		skip();
	sample_write(sample_path("am.yml"),
		     "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n");
	snprintf(conf, sizeof(conf), "--config.file=%s", sample_path("am.yml"));
	snprintf(storage, sizeof(storage), "--storage.path=%s", sample_path("am"));
	snprintf(listen, sizeof(listen), "--web.listen-address=127.0.0.1:%u", http_port);
	assert_int_equal(posix_spawn(&server, ALERTMANAGER, NULL, NULL, argv, environ), 0);
	sample_until(ready());
}

static void open_alertmanager(void)
{
	static char to[300];

	snprintf(to, sizeof(to), "alertmanager:http://127.0.0.1:%u/", http_port);
	sample_open(&(struct policy_sink){.name = "sample", .to = to, .severity = SEVERITY_INFO});
}

/* How many alerts fire. */
static size_t firing(void)
{
	const char *body = strstr(get("/api/v2/alerts"), "\r\n\r\n");

	json_decref(alerts);
	alerts = body ? json_loads(body, 0, NULL) : NULL;
	return json_array_size(alerts);
}

static const char *text(size_t i, const char *in, const char *name)
{
	const char *t = json_string_value(
		json_object_get(json_object_get(json_array_get(alerts, i), in), name));

	return t ?: "";
}

/* Its endsAt, in seconds from now. */
static long ends_in(size_t i)
{
	const char *t = json_string_value(json_object_get(json_array_get(alerts, i), "endsAt"));
	struct tm tm = {};

	assert_non_null(t);
	assert_non_null(strptime(t, "%Y-%m-%dT%H:%M:%S", &tm));
	return (long)(timegm(&tm) - time(NULL));
}

static void an_incident_fires_until_it_closes(void **state)
{
	start();
	open_alertmanager();
	sample_incident(1, INCIDENT_OPENED, SEVERITY_HIGH);
	sample_incident(2, INCIDENT_OPENED, SEVERITY_HIGH);
	sample_until(sample_status().delivered == 2);
	sample_until(firing() == 2);
	assert_string_equal(text(0, "labels", "alertname"), "CachewardenIncident");
	assert_string_equal(text(0, "labels", "rule"), "mem-read");
	assert_string_equal(text(0, "labels", "severity"), "high");
	assert_string_equal(text(0, "labels", "instance"), "redis-server:6379");
	assert_string_not_equal(text(0, "labels", "host"), "");
	assert_string_equal(text(0, "annotations", "summary"),
			    "A process reads the server's memory: redis-server:6379 by gdb(4711)");
	assert_string_equal(text(0, "annotations", "actor_exe"), "/usr/bin/gdb");
	assert_string_not_equal(text(0, "annotations", "description"), "");
	assert_in_range(ends_in(0), 200, 310);
	sample_incident(1, INCIDENT_CLOSED, SEVERITY_HIGH);
	sample_until(firing() == 1);
	assert_string_equal(text(0, "labels", "id"), "0123456789abcdef-i2");
	sample_incident(2, INCIDENT_CLOSED, SEVERITY_HIGH);
	sample_until(firing() == 0);
	sample_until(sample_status().delivered == 4);
	assert_int_equal(sample_status().dropped, 0);
}

/* Severity is a label, and labels are an alert's identity: there must not be two of it. */
static void an_incident_that_gets_worse_is_still_one_alert(void **state)
{
	start();
	open_alertmanager();
	sample_incident(1, INCIDENT_OPENED, SEVERITY_MEDIUM);
	sample_until(firing() == 1);
	sample_incident(1, INCIDENT_UPDATED, SEVERITY_CRITICAL);
	sample_until(firing() == 1 && !strcmp(text(0, "labels", "severity"), "critical"));
	sample_incident(1, INCIDENT_CLOSED, SEVERITY_CRITICAL);
	sample_until(firing() == 0);
}

static void the_heartbeat_is_an_alert_that_ends_with_it(void **state)
{
	start();
	open_alertmanager();
	sample_heartbeat(1);
	sample_until(firing() == 1);
	assert_string_equal(text(0, "labels", "alertname"), "CachewardenHeartbeat");
	assert_string_equal(text(0, "labels", "severity"), "");
	assert_in_range(ends_in(0), 170, 181);
	sample_heartbeat(2);
	sample_until(sample_status().delivered == 2);
	assert_int_equal(firing(), 1);
}

/* Alertmanager keeps no alert over a restart. */
static void a_server_that_restarts_has_the_open_incidents_again(void **state)
{
	start();
	open_alertmanager();
	sample_incident(1, INCIDENT_OPENED, SEVERITY_HIGH);
	sample_until(firing() == 1);
	sample_sleep(2000); /* sent again for the first time */
	stop();
	sample_incident(2, INCIDENT_OPENED, SEVERITY_HIGH);
	sample_until(sample_status().failing_s);
	start();
	sample_until(sample_status().delivered == 2);
	for (int i = 0; i < 8 && firing() != 2; i++)
		sample_sleep(5000);
	assert_int_equal(firing(), 2);
	sample_incident(1, INCIDENT_CLOSED, SEVERITY_HIGH);
	sample_incident(2, INCIDENT_CLOSED, SEVERITY_HIGH);
	sample_until(firing() == 0);
	assert_int_equal(sample_status().dropped, 0);
}

static void a_server_that_is_no_alertmanager_is_named_by_its_answer(void **state)
{
	http_start(NULL);
	sample_write(sample_path("answer"), "404 Not Found");
	open_alertmanager();
	sample_incident(1, INCIDENT_OPENED, SEVERITY_HIGH);
	sample_until(sample_said("the server answered with status 404; trying again"));
	assert_int_equal(http_count("POST /api/v2/alerts HTTP/1.1"), http_count("POST "));
	assert_int_equal(sample_status().delivered, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_incident_fires_until_it_closes),
		T(an_incident_that_gets_worse_is_still_one_alert),
		T(the_heartbeat_is_an_alert_that_ends_with_it),
		T(a_server_that_restarts_has_the_open_incidents_again),
		T(a_server_that_is_no_alertmanager_is_named_by_its_answer),
	};

	return cmocka_run_group_tests_name("sink_alertmanager", tests, NULL, NULL);
}
