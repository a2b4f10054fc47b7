/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_ocsf.c - whatever the monitor can print as JSON is a valid OCSF Detection Finding, and as ECS a document of that schema: every rule with every vector, kind of
 * file and of state, outcome and verdict, with and without an actor, a server, a connection; the incidents made of these;
 * heartbeats. The live suite ocsf: checks what monitors have printed.
 */
#include "event_sample.h"
#include "unit.h"

#include "base/clock.h"
#include "model/vector.h"
#include "report/finding.h"
#include "report/format.h"
#include "report/incident_fact.h"
#include "tls/facts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UID_PREFIX "0123456789abcdef"

static struct instance server = {.id = 1,
				 .pid = 7,
				 .members = 1,
				 .ports = 1,
				 .port = {6379},
				 .name = "redis-server:6379",
				 .uid = "redis-server:6379@redis.service/1",
				 .place = "redis.service",
				 .exe = "/usr/bin/redis-server"};
static struct instance tenant = {
	.id = 2, .pid = 8, .name = "valkey-server:6380", .uid = "v@host/1"};

static struct report_buf buf;
static struct incidents incidents;
static const struct format_ops *format; /* under test */
static FILE *lines;
static size_t written;

static void put(const char *text, size_t len)
{
	assert_non_null(text);
	if (len)
		assert_int_equal(fwrite(text, 1, len, lines), len);
	written += !!len;
}

static void on_incident(void *ctx, const struct incident *in, enum incident_change change)
{
	const struct incident_view v = {.incident = in,
					.change = change,
					.instance = in->instance == 1 ? &server : NULL,
					.tenant = in->tenant ? &tenant : NULL,
					.uid_prefix = UID_PREFIX};
	size_t len = 0;
	const char *text = format->incident(&v, &buf, &len);

	put(text, len);
}

/* One alert, with that many verdicts, as new and as an update in turn; then as part of an incident. */
static void print(const struct event *ev, unsigned int verdicts)
{
	static struct finding f;
	static uint64_t id;
	struct alert a = {.ev = *ev, .id = ++id, .count = 3, .bytes = 14, .detailed = true};
	struct incident_fact fact;
	const char *text;
	size_t len;

	if (ev->key.rule == RULE_SELF_BLIND)
		snprintf(a.note, sizeof(a.note),
			 "ring buffer full: attempts counted, their details lost");
	for (unsigned int verdict = 0; verdict < verdicts; verdict++) {
		finding_fill(&f, &(struct finding_source){
					 .alert = &a,
					 .instance = ev->key.instance ? &server : NULL,
					 .tenant = ev->flags & EVENT_CROSS_TENANT ? &tenant : NULL,
					 .uid_prefix = UID_PREFIX,
					 .actor_cgroup = "/system.slice/cron.service",
					 .more = 2,
					 .update = verdict % 2,
				 });
		f.verdict = (struct verdict){.id = (verdict + VERDICT_ALERT) % VERDICT_MAX,
					     .severity = f.severity};
		len = 0;
		text = format->event(&f, &buf, &len);
		put(text, len);
	}
	f.verdict.id = VERDICT_ALERT;
	incident_fact_fill(&fact, &f);
	incidents_feed(&incidents, &fact, clock_boot_ns());
}

/* Every detail that the vector can have. */
static unsigned int details(unsigned int vector)
{
	if (vector == VECTOR_SWEEP)
		return FINDING_MAX;
	if (vector_is_open(vector))
		return FILE_KIND_MAX;
	return vector == VECTOR_EXEC ? ENV_MAX : 2;
}

static void print_with_flags(struct event ev, unsigned int verdicts)
{
	static const unsigned int flags[] = {0,
					     EVENT_ACTOR,
					     EVENT_ACTOR | EVENT_CROSS_TENANT,
					     EVENT_ACTOR | EVENT_CROWD,
					     EVENT_ACTOR | EVENT_PREVENTED,
					     EVENT_ACTOR | EVENT_FOUND_BY_SWEEP};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		ev.flags = flags[i];
		if (vector_is_wire(ev.key.vector))
			ev.flags |= EVENT_CONN;
		ev.key.instance = 1;
		ev.key.err = 0;
		print(&ev, verdicts);
		ev.key.instance = INSTANCE_HOST;
		ev.key.err = EACCES;
		print(&ev, verdicts);
	}
}

static void every_event(void)
{
	struct event ev = event_sample();

	ev.time_ns = clock_boot_ns();
	ev.count = 1;
	ev.conn.cookie = 77;
	ev.conn.ends.local_port = 6379;
	ev.conn.ends.remote_port = 40000;
	ev.conn.opened = OPENED_INBOUND;
	inet_pton(AF_INET6, "::ffff:10.0.0.1", ev.conn.ends.remote_ip);
	inet_pton(AF_INET6, "::ffff:10.0.0.2", ev.conn.ends.local_ip);
	for (unsigned int rule = RULE_NONE + 1; rule < RULE_MAX; rule++) {
		for (unsigned int vector = VECTOR_NONE + 1; vector < VECTOR_MAX; vector++) {
			ev.key.rule = (uint8_t)rule;
			ev.key.vector = (uint8_t)vector;
			for (unsigned int d = 0; d < details(vector); d++) {
				ev.key.detail = d;
				ev.conn.payload =
					(uint8_t)(d ? PAYLOAD_RESP_COMMAND : PAYLOAD_OTHER);
				ev.flags = EVENT_ACTOR;
				ev.key.instance = 1;
				ev.key.err = 0;
				if (d < 2)
					print_with_flags(ev, d ? 1 : VERDICT_MAX);
				else
					print(&ev, 1);
			}
		}
	}
}

static void heartbeats(void)
{
	struct heartbeat h = {.number = 1,
			      .interval_s = 60,
			      .time_ms = clock_epoch_ms(clock_boot_ns()),
			      .started_ms = clock_epoch_ms(clock_boot_ns()),
			      .instances = 1,
			      .last_event = "",
			      .uid_prefix = UID_PREFIX};
	size_t len = 0;
	const char *text = format->heartbeat(&h, &buf, &len);

	put(text, len);
	h.number = 2;
	h.guarded = true;
	h.last_event_ms = h.time_ms;
	h.last_event = "mem-read by process_vm_readv";
	text = format->heartbeat(&h, &buf, &len);
	put(text, len);
}

/* Connections: with and without a handshake, a server and a name; every version of TLS. OCSF has no class of ours for them. */
static void conns(void)
{
	static const uint16_t versions[] = {0x0002, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x9999};
	struct conn_snapshot s = {.cookie = 5, .in = {.bytes = 10}, .out = {.bytes = 20}};
	struct tls_facts facts;
	struct conn c = {.facts = &facts, .since_ns = clock_boot_ns()};

	inet_pton(AF_INET6, "::ffff:10.0.0.1", s.ends.remote_ip);
	inet_pton(AF_INET6, "::ffff:10.0.0.2", s.ends.local_ip);
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]) * 4; i++) {
		const struct conn_view v = {.snapshot = &s,
					    .conn = i % 4 == 3 ? NULL : &c,
					    .instance = i % 2 ? &server : NULL};
		const char *text;
		size_t len = 0;

		memset(&facts, 0, sizeof(facts));
		facts.version = versions[i / 4];
		facts.cipher = i % 2 ? 0x1301 : 0xabab;
		facts.flags = i % 4 ? TLS_SERVER_HELLO : 0;
		if (i % 2)
			strcpy(facts.sni, "cache.example");
		text = format->conn(&v, &buf, &len);
		put(text, len);
	}
}

/* Prints it all in that format, and lets a program look at the lines. */
static void validate(char letter, const char *validator)
{
	char path[] = "/tmp/cachewarden-ocsf.XXXXXX", command[128];
	int fd = mkstemp(path), status;

	assert_true(fd >= 0);
	lines = fdopen(fd, "w");
	format = format_by_letter(letter);
	written = 0;
	assert_non_null(format);
	assert_non_null(lines);
	assert_int_equal(incidents_init(&incidents, on_incident, NULL), 0);
	every_event();
	incidents_end(&incidents, END_MONITOR, clock_boot_ns());
	heartbeats();
	if (letter == 'c')
		conns();
	fclose(lines);
	incidents_free(&incidents);
	report_buf_free(&buf);
	print_message("%zu lines\n", written);
	snprintf(command, sizeof(command), "python3 %s %s", validator, path);
	status = system(command); /* NOLINT(cert-env33-c): a test's own command */
	unlink(path);
	assert_int_equal(status, 0);
}

static void whatever_is_printed_is_a_valid_finding(void **state)
{
	validate('j', "tests/ocsf/validate.py");
}

static void whatever_is_printed_as_ecs_is_in_the_schema(void **state)
{
	validate('c', "tests/ocsf/ecs.py");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_is_printed_is_a_valid_finding),
		cmocka_unit_test(whatever_is_printed_as_ecs_is_in_the_schema),
	};

	if (system("python3 -c 'import jsonschema' 2>/dev/null")) { /* NOLINT(cert-env33-c) */
		print_message("no python3-jsonschema here\n");
		return 0;
	}
	return cmocka_run_group_tests_name("ocsf", tests, NULL, NULL);
}
