// SPDX-License-Identifier: BSD-2-Clause
/* test_sink_otlp.c - messages as log records of OpenTelemetry, and the answers of a collector. */
#include "http_sample.h"

#include <jansson.h>
#include <sys/stat.h>

static int setup(void **state)
{
	sample_setup(state);
	http_port = free_port();
	http_start(NULL);
	return 0;
}

static int teardown(void **state)
{
	http_stop();
	return sample_teardown(state);
}

static void open_collector(const char *path, const char *secret_file)
{
	static char to[300];

	snprintf(to, sizeof(to), "otlp:http://127.0.0.1:%u%s", http_port, path);
	sample_open(&(struct policy_sink){.name = "sample",
					  .to = to,
					  .secret_file = (char *)secret_file,
					  .severity = SEVERITY_INFO});
}

static json_t *at(json_t *in, const char *name)
{
	json_t *found = json_object_get(in, name);

	return json_is_array(found) ? json_array_get(found, 0) : found;
}

/* The only record of the request's only resource and scope. */
static json_t *record_of(json_t *request)
{
	return at(at(at(request, "resourceLogs"), "scopeLogs"), "logRecords");
}

/* Every value of OTLP's JSON is an object that names its type. */
static const char *attribute(json_t *of, const char *key)
{
	json_t *all = json_object_get(of, "attributes"), *a;
	size_t i;

	json_array_foreach (all, i, a) {
		if (!strcmp(json_string_value(json_object_get(a, "key")), key))
			return json_string_value(at(at(a, "value"), "stringValue"));
	}
	return NULL;
}

static void an_incident_is_a_record(void **state)
{
	json_t *request, *r, *original;
	const char *time;

	open_collector("/", NULL);
	sample_incident(1, INCIDENT_OPENED, SEVERITY_HIGH);
	sample_until(sample_status().delivered == 1);
	assert_int_equal(strncmp(http_requests(), "POST /v1/logs HTTP/1.1\r\n", 24), 0);
	assert_int_equal(http_count("\r\nContent-Type: application/json\r\n"), 1);
	assert_int_equal(http_count("\r\nAuthorization:"), 0);
	request = json_loads(strstr(http_requests(), "\r\n\r\n") + 4, JSON_DISABLE_EOF_CHECK, NULL);
	r = record_of(request);
	assert_string_equal(attribute(at(at(request, "resourceLogs"), "resource"), "service.name"),
			    "cachewarden");
	assert_non_null(attribute(at(at(request, "resourceLogs"), "resource"), "host.name"));
	assert_int_equal(json_integer_value(json_object_get(r, "severityNumber")), 17);
	assert_string_equal(json_string_value(json_object_get(r, "severityText")), "high");
	assert_string_equal(attribute(r, "cachewarden.kind"), "incident");
	assert_string_equal(attribute(r, "cachewarden.severity"), "high");
	assert_non_null(attribute(r, "cachewarden.id"));
	original = json_loads(attribute(r, "log.record.original"), 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(original, "class_uid")), 2004);
	assert_string_equal(json_string_value(at(at(r, "body"), "stringValue")),
			    json_string_value(json_object_get(original, "message")));
	time = json_string_value(json_object_get(r, "timeUnixNano"));
	assert_int_equal(strtoll(time, NULL, 10) / 1000000,
			 json_integer_value(json_object_get(original, "time")));
	json_decref(original);
	json_decref(request);
}

static void the_base_may_have_a_path(void **state)
{
	open_collector("/tenant/7", NULL);
	sample_incident(1, INCIDENT_OPENED, SEVERITY_LOW);
	sample_heartbeat(1);
	sample_until(sample_status().delivered == 2);
	assert_int_equal(http_count("POST /tenant/7/v1/logs HTTP/1.1\r\n"), 2);
}

static void the_secret_is_sent_and_not_logged(void **state)
{
	sample_write(sample_path("secret"), "correct-horse\n");
	assert_int_equal(chmod(sample_path("secret"), 0600), 0);
	open_collector("", sample_path("secret"));
	sample_incident(1, INCIDENT_OPENED, SEVERITY_LOW);
	sample_until(sample_status().delivered == 1);
	assert_int_equal(http_count("\r\nAuthorization: Bearer correct-horse\r\n"), 1);
	assert_false(sample_said("correct-horse"));
}

/* 200, and yet it has not taken the record. */
static void a_record_the_collector_rejects_is_lost_and_counted(void **state)
{
	sample_write(sample_path("reply"), "{\"partialSuccess\":{\"rejectedLogRecords\":\"1\","
					   "\"errorMessage\":\"quota\\u001b[31m\"}}");
	open_collector("", NULL);
	sample_incident(1, INCIDENT_OPENED, SEVERITY_HIGH);
	sample_until(sample_status().dropped == 1);
	sample_until(sample_said("a message is lost: the server rejected the record: quota"));
	assert_false(sample_said("\x1b"));
	sample_write(sample_path("reply"), "{\"partialSuccess\":{}}");
	sample_incident(2, INCIDENT_OPENED, SEVERITY_HIGH);
	sample_until(sample_status().delivered == 1);
}

static void a_collector_that_is_busy_gets_it_later(void **state)
{
	sample_write(sample_path("answer"), "429 Too Many Requests");
	open_collector("", NULL);
	sample_incident(1, INCIDENT_OPENED, SEVERITY_HIGH);
	sample_until(sample_said("the server answered with status 429; trying again"));
	assert_int_equal(sample_status().delivered, 0);
	sample_write(sample_path("answer"), "200 OK");
	sample_until(sample_status().delivered == 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_incident_is_a_record),
		T(the_base_may_have_a_path),
		T(the_secret_is_sent_and_not_logged),
		T(a_record_the_collector_rejects_is_lost_and_counted),
		T(a_collector_that_is_busy_gets_it_later),
	};

	return cmocka_run_group_tests_name("sink_otlp", tests, NULL, NULL);
}
