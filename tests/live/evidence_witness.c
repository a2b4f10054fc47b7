/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evidence_witness.c - the policy's witness: the monitor has it cosign the log, says when it is down, catches up afterwards, and
 * reports that it has seen another log.
 */
#include "steps.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define UNCOSIGNED                                                                                 \
	"evidence log: the witness does not cosign it; cut off meanwhile, it may go unnoticed"
#define REFUSES                                                                                    \
	"evidence log: the witness refuses it: it has seen another log of this name, or a longer one"

static struct server *a;
static const char *dir, *of; /* of the log, and of its witness */
static int port;
static pid_t witness;

static void setup(void)
{
	a = server_start(&(struct server_opts){});
}

static void witness_start(void)
{
	const char *const argv[] = {MONITOR,
				    "witness",
				    of,
				    "--logs",
				    str("%s/vkey", dir),
				    "--listen",
				    str("127.0.0.1:%d", port),
				    NULL};

	witness = child_start(argv, &(struct child_opts){.err = str("%s.err", of)});
	wait_listening(port);
}

static void witness_stop(void)
{
	child_stop(witness, SIGTERM, 8000);
}

static const char *witness_key(void)
{
	char *key = file_read(str("%s/vkey", of));

	key[strcspn(key, "\n")] = '\0';
	return key;
}

static void stop_well(struct monitor *m)
{
	require(monitor_stop(m, SIGTERM) == 0, "the monitor failed: %s", file_read(m->err));
}

/* A log that was written once, and a witness that knows it and runs. */
static void begin(const char *name)
{
	dir = str("%s/evidence-%s", scratch, name);
	of = str("%s/witness-%s", scratch, name);
	port = port_free();
	stop_well(monitor_start("--evidence", dir, NULL));
	witness_start();
}

static struct monitor *monitor_with_witness(void)
{
	return monitor_with_policy(
		str("evidence:\n  directory: %s\n  witness: http://127.0.0.1:%d %s\n", dir, port,
		    witness_key()));
}

/* What the running monitor says of its witness. */
static json_t *status(const struct monitor *m)
{
	struct run r = run_command(10000, MONITOR, "status", "--output", "json", "--pid",
				   str("%d", m->pid));
	json_t *s = json_loads(r.out, 0, NULL),
	       *w = json_object_get(json_object_get(s, "evidence"), "witness");

	require(json_is_object(w), "no witness in the status: %s%s", r.out, r.err);
	return w;
}

static long long number_of(json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *error_of(json_t *object)
{
	return json_string_value(json_object_get(object, "error")) ?: "";
}

static void wait_cosigned(const struct monitor *m, int seconds)
{
	long long end = now_ms() + seconds * 1000ll * patience;

	while (!number_of(status(m), "entries")) {
		require(now_ms() < end, "not cosigned: %s", json_dumps(status(m), 0));
		sleep_ms(200);
	}
}

static void wait_blind(struct monitor *m, const char *note, int seconds)
{
	long long end = now_ms() + seconds * 1000ll * patience;

	while (!blind_count(m, note)) {
		require(now_ms() < end, "not said: %s", note);
		sleep_ms(50);
	}
}

static struct run verify_cosigned(void)
{
	return run_command(20000, MONITOR, "evidence", "verify", "--witness", witness_key(), dir);
}

static long long number_behind(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	require(at, "no '%s': %s", what, text);
	return strtoll(at + strlen(what), NULL, 10);
}

static void cosigned(const void *arg)
{
	struct monitor *m;
	struct run r;

	begin("cosigned");
	m = monitor_with_witness();
	wait_cosigned(m, 15);
	require(!number_of(status(m), "failed") && !number_of(status(m), "refused"), "failures: %s",
		json_dumps(status(m), 0));
	stop_well(m);
	r = verify_cosigned();
	require(r.status == 0, "it does not verify: %s", r.err);
	require(number_behind(r.out, "entries: ") ==
			number_behind(r.out, "cosigned by the witness: "),
		"the end is not cosigned: %s", r.out);
	require(!strstr(file_read(m->out), UNCOSIGNED), "it says that it is not cosigned");
	require(!alert_find(m, "self-tamper", 0), "what asks the witness counts as tampering: %s",
		file_read(m->out));
	witness_stop();
}

/* It is down when the monitor starts; an alert comes all the same, and once the witness runs, all is cosigned. */
static void down(const void *arg)
{
	struct trigger t;
	struct monitor *m;
	struct run r;

	begin("down");
	witness_stop();
	m = monitor_with_witness();
	t = trigger("vm_readv", pid_of(a));
	monitor_sync(m);
	require(alert_find(m, "mem-read", t.pid), "no alert");
	wait_blind(m, UNCOSIGNED, 20);
	require(number_of(status(m), "failed") >= 2 &&
			strstr(error_of(status(m)), "is the witness running there?"),
		"status: %s", json_dumps(status(m), 0));
	witness_start();
	wait_cosigned(m, 40);
	require(!error_of(status(m))[0], "status: %s", json_dumps(status(m), 0));
	stop_well(m);
	r = verify_cosigned();
	require(r.status == 0, "it does not verify: %s", r.err);
	witness_stop();
}

/* Root puts an older copy of the log in its place, which verifies by itself. */
static void rolled_back(const void *arg)
{
	struct monitor *m;
	struct run r;

	begin("back");
	r = run_command(10000, "cp", "-a", dir, str("%s.old", dir));
	require(r.status == 0, "cp: %s", r.err);
	m = monitor_with_witness();
	wait_cosigned(m, 15);
	stop_well(m);
	r = run_command(10000, "sh", "-c",
			str("mv %s %s.away && mv %s.old %s", dir, dir, dir, dir));
	require(r.status == 0, "mv: %s", r.err);
	r = run_command(20000, MONITOR, "evidence", "verify", dir);
	require(r.status == 0, "the older copy does not verify: %s", r.err);
	m = monitor_with_witness();
	wait_blind(m, REFUSES, 10);
	stop_well(m);
	witness_stop();
}

static const struct test tests[] = {
	TEST("the witness of the policy cosigns the log, and its end", cosigned),
	TEST("a witness that is down is said, delays nothing, and catches up", down),
	TEST("a log that was rolled back is refused by the witness, and that is said", rolled_back),
	{},
};

const struct suite evidence_witness_suite = {
	.name = "evidence witness", .setup = setup, .tests = tests};
