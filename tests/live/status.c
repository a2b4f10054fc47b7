/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status.c - `cachewarden status`: what it says of a monitor that is well, and of one that is not; and that nobody who
 * connects to the control socket, with or without the right to, holds the monitor up.
 */
#include "harness.h"
#include "steps.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FLOOD 1000
#define STATUS_MS 100 /* the best of five: others use this host, too */

static struct server *a;

static void setup(void)
{
	a = server_start(&(struct server_opts){.plain = true});
}

static struct run status(const struct monitor *m, const char *output)
{
	return run_command(8000, MONITOR, "status", "--output", output, "--pid", str("%d", m->pid));
}

/* What it says, with the exit code that belongs to it. */
static json_t *status_json(const struct monitor *m)
{
	struct run r = status(m, "json");
	json_t *s = json_loads(r.out, 0, NULL);
	bool well = json_is_true(json_object_get(s, "well"));

	require(s && r.status == !well && !r.err[0], "exit code %d, says: %s%s", r.status, r.out,
		r.err);
	require(well == !json_array_size(json_object_get(s, "wrong")), "well, or not? %s", r.out);
	return s;
}

static bool is_wrong(json_t *s, const char *what)
{
	json_t *line;
	size_t i;

	json_array_foreach (json_object_get(s, "wrong"), i, line) {
		if (strstr(json_string_value(line), what))
			return true;
	}
	return false;
}

static json_t *instance_in(json_t *s, const struct server *of)
{
	json_t *in;
	size_t i;

	json_array_foreach (json_object_get(s, "instances"), i, in) {
		if (json_integer_value(json_object_get(in, "pid")) == of->pid)
			return in;
	}
	test_fail("the server is not listed: %s", json_dumps(s, 0));
}

static bool port_has(json_t *in, int number, const char *what)
{
	json_t *port;
	size_t i;

	json_array_foreach (json_object_get(in, "ports"), i, port) {
		if (json_integer_value(json_object_get(port, "port")) == number)
			return json_is_true(json_object_get(port, what));
	}
	test_fail("port %d is not listed", number);
}

static void well(const void *arg)
{
	struct monitor *m = monitor_start("--heartbeat", "60", NULL);
	struct run r = status(m, "text");
	json_t *s = status_json(m), *in = instance_in(s, a);

	require(!is_wrong(s, "not attached") && !is_wrong(s, "guard"), "%s", r.out);
	require(strstr(r.out, "cachewarden ") == r.out && strstr(r.out, "\nsensors ") &&
			strstr(r.out, str("\nredis-server:%d", a->plain_port)),
		"says: %s", r.out);
	for (const char *line = r.out; *line; line += strcspn(line, "\n") + 1)
		require(strcspn(line, "\n") <= 80, "a line is too long: %s", line);
	require(json_is_true(json_object_get(in, "found_running")), "it was found");
	require(number_at(s, "heartbeat", "every_s") == 60, "no heartbeat");
	require(json_is_null(json_object_get(s, "evidence")), "evidence, but none was asked for");
	require(json_integer_value(json_object_get(s, "pid")) == m->pid, "its pid");
}

static void counts(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct client *tls = client_open(a, "127.0.0.1", true), *plain;
	json_t *s, *in;

	client_do(tls, "PING");
	plain = client_open(a, "127.0.0.1", false);
	client_do(plain, "PING");
	trigger("vm_readv", pid_of(a));
	monitor_sync(m);
	sleep_ms(2500); /* an incident is told again at most once a second */
	s = status_json(m);
	in = instance_in(s, a);
	require(port_has(in, a->tls_port, "tls") && !port_has(in, a->tls_port, "plaintext") &&
			port_has(in, a->plain_port, "plaintext") &&
			!port_has(in, a->plain_port, "tls"),
		"ports: %s", json_dumps(in, 0));
	require(number_at(in, "connections", "TLSv1.3") == 1, "connections: %s", json_dumps(in, 0));
	require(number_at(s, "events", "alert") >= 1 && number_at(s, "incidents", "open") >= 1 &&
			!strcmp(text_at(s, "incidents", "worst"), "critical"),
		"events: %s", json_dumps(s, 0));
	client_close(tls);
	client_close(plain);
}

static bool knows(json_t *in, const char *kind)
{
	json_t *known = json_object_get(json_object_get(in, "files_known"), kind);

	require(json_is_boolean(known), "nothing about its %s", kind);
	return json_is_true(known);
}

/* A server whose start was seen: its configuration and its key are known. It has no ACL file. */
static void files(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct server *s = server_start(&(struct server_opts){});
	json_t *in;

	monitor_sync(m);
	in = instance_in(status_json(m), s);
	require(knows(in, "configuration") && knows(in, "private key") && !knows(in, "ACL file"),
		"files: %s", json_dumps(in, 0));
	require(!json_is_true(json_object_get(in, "found_running")), "it was started");
}

static void kept(const void *arg)
{
	struct monitor *m = monitor_start("--evidence", str("%s/status.evidence", scratch), NULL);
	json_t *s;

	sleep_ms(1500);
	s = status_json(m);
	require(number_at(s, "evidence", "entries") > 0 &&
			number_at(s, "evidence", "last_checkpoint") > 0 && !is_wrong(s, "evidence"),
		"evidence: %s", json_dumps(s, 0));
}

static void no_evidence(const void *arg)
{
	struct monitor *m = monitor_start("--evidence", "/proc/none", NULL);
	struct run r = status(m, "text");
	json_t *s = status_json(m);

	/* more follows if another test has left an incident open */
	require(r.status == 1 && strstr(r.out, "something is wrong with the monitor"),
		"exit code %d, says: %s", r.status, r.out);
	require(is_wrong(s, "no evidence is kept: ") && text_at(s, "evidence", "error")[0],
		"says: %s", json_dumps(s, 0));
}

static void nobody_there(const void *arg)
{
	struct run r = run_command(8000, MONITOR, "status", "--pid", "1");

	require(r.status == 3 && !r.out[0] && strstr(r.err, "not a running monitor"),
		"exit code %d, says: %s%s", r.status, r.out, r.err);
}

static void fast(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	long long best = 1000000;

	for (int i = 0; i < 5; i++) {
		long long began = now_ms();

		status(m, "json");
		if (now_ms() - began < best)
			best = now_ms() - began;
	}
	require(best < STATUS_MS * patience, "at best %lld ms", best);
}

/* --- incidents --- */

/* What `incidents` prints with these options. */
static json_t *incidents(const struct monitor *m, const char *option, const char *value)
{
	struct run r = run_command(8000, MONITOR, "incidents", "--output", "json", "--pid",
				   str("%d", m->pid), option, value);
	json_t *answer = json_loads(r.out, 0, NULL);

	require(r.status == 0 && answer && json_is_array(json_object_get(answer, "incidents")),
		"exit code %d, says: %s%s", r.status, r.out, r.err);
	return answer;
}

/* The one that this trigger led; NULL if it is not listed. */
static json_t *led_by(json_t *answer, const struct trigger *t)
{
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(answer, "incidents"), i, one) {
		if (number_at(one, "actor", "pid") == t->pid)
			return one;
	}
	return NULL;
}

static void latest_incidents(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct trigger t;
	json_t *in;
	struct run r;

	monitor_sync(m);
	t = trigger_in(&(struct child_opts){.setup = own_session}, "vm_readv", pid_of(a));
	monitor_sync(m);
	in = led_by(incidents(m, "--actor", str("%d", t.pid)), &t);
	require(in, "it is not listed by pid");
	require(!strcmp(json_string_value(json_array_get(json_object_get(in, "rules"), 0)),
			"mem-read") &&
			!strcmp(json_string_value(json_object_get(in, "severity")), "critical") &&
			!strcmp(text_at(in, "actor", "exe"), t.exe) &&
			number_at(in, "instance", "pid") == a->pid &&
			json_is_true(json_object_get(in, "open")),
		"says: %s", json_dumps(in, 0));
	require(led_by(incidents(m, "--rule", "mem-read"), &t), "it is not listed by rule");
	require(led_by(incidents(m, "--instance", text_at(in, "instance", "name")), &t),
		"it is not listed by server");
	require(led_by(incidents(m, "--actor", t.exe), &t), "it is not listed by executable");
	require(!led_by(incidents(m, "--rule", "mem-write"), &t), "listed by another rule");
	require(!led_by(incidents(m, "--since", "2999-01-01"), &t), "listed long before it was");
	/* the number of the answer is where the next one begins */
	in = incidents(m, "--severity", "critical");
	require(led_by(in, &t), "it is not listed by severity");
	in = incidents(m, "--after", json_string_value(json_object_get(in, "cursor")));
	require(!led_by(in, &t) && json_is_false(json_object_get(in, "restarted")),
		"listed again, though nothing was new");
	r = run_command(8000, MONITOR, "incidents", "--pid", str("%d", m->pid));
	require(r.status == 0 && strstr(r.out, str("(%d)", t.pid)) && strstr(r.out, "mem-read"),
		"says: %s%s", r.out, r.err);
	r = run_command(8000, MONITOR, "incidents", "--rule", "mem-raed");
	require(r.status == 2 && strstr(r.err, "mem-raed"), "exit code %d: %s", r.status, r.err);
}

/* The numbers of a new monitor begin anew: what it reports must not be taken for what was seen before. */
static void poll_over_a_restart(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct trigger before, after;
	const char *cursor;
	json_t *answer;
	struct run r;

	monitor_sync(m);
	before = trigger_in(&(struct child_opts){.setup = own_session}, "vm_readv", pid_of(a));
	monitor_sync(m);
	answer = incidents(m, "--severity", "critical");
	require(led_by(answer, &before), "it is not listed");
	cursor = strdup(json_string_value(json_object_get(answer, "cursor")));
	monitor_stop(m, SIGTERM);
	m = monitor_start(NULL);
	monitor_sync(m);
	after = trigger_in(&(struct child_opts){.setup = own_session}, "vm_readv", pid_of(a));
	monitor_sync(m);
	answer = incidents(m, "--after", cursor);
	require(led_by(answer, &after) && !led_by(answer, &before) &&
			json_is_true(json_object_get(answer, "restarted")),
		"says: %s", json_dumps(answer, 0));
	r = run_command(8000, MONITOR, "incidents", "--pid", str("%d", m->pid), "--after", cursor);
	require(r.status == 0 && strstr(r.err, "was restarted") &&
			strstr(r.out, str("(%d)", after.pid)),
		"says: %s%s", r.out, r.err);
	answer = incidents(m, "--after", json_string_value(json_object_get(answer, "cursor")));
	require(!led_by(answer, &after) && json_is_false(json_object_get(answer, "restarted")),
		"listed again, though nothing was new");
	r = run_command(8000, MONITOR, "incidents", "--after", "yesterday");
	require(r.status == 2 && strstr(r.err, "yesterday"), "exit code %d: %s", r.status, r.err);
}

/* Only root may ask: others do not get as far as the socket. */
static void incidents_for_root(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	const char *exe = str("%s/bin/cachewarden", scratch);
	struct run r;

	file_copy(MONITOR, exe);
	r = run_with(&(struct child_opts){.setup = become_nobody}, 8000, exe, "incidents", "--pid",
		     str("%d", m->pid));
	require(r.status == 3 && !r.out[0] && strstr(r.err, "no answer"), "exit code %d: %s%s",
		r.status, r.out, r.err);
}

/* Whether `conns` lists the connection from that port, with these two options. */
static bool conns_has(const struct monitor *m, int port, const char *option, const char *value,
		      const char *option2, const char *value2)
{
	struct run r = run_command(8000, MONITOR, "conns", "--output", "json", "--pid",
				   str("%d", m->pid), option, value, option2, value2);
	bool found = false;

	require(r.status == 0, "exit code %d: %s", r.status, r.err);
	for (const char *at = r.out; *at; at += strcspn(at, "\n") + 1) {
		json_t *conn = json_loads(at, JSON_DISABLE_EOF_CHECK, NULL);

		found = found || number_at(conn, "remote", "port") == port;
		json_decref(conn);
	}
	return found;
}

static void conns_chosen(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct server *b = server_start(&(struct server_opts){});
	struct client *old = client_open(a, "127.0.0.1", true), *young;
	const char *of_a, *of_b, *between;
	struct timespec now;
	struct run r;

	client_do(old, "PING");
	monitor_sync(m);
	sleep_ms(1100); /* --since counts whole seconds */
	clock_gettime(CLOCK_REALTIME, &now);
	between = str("@%lld", (long long)now.tv_sec);
	young = client_open(b, "127.0.0.1", true);
	client_do(young, "PING");
	monitor_sync(m);
	of_a = json_string_value(json_object_get(instance_in(status_json(m), a), "name"));
	of_b = json_string_value(json_object_get(instance_in(status_json(m), b), "name"));
	require(strcmp(of_a, of_b) != 0, "both are called %s", of_a);
	require(conns_has(m, client_port(old), "--instance", of_a, NULL, NULL) &&
			conns_has(m, client_port(young), "--instance", of_b, NULL, NULL),
		"not listed by server");
	require(!conns_has(m, client_port(old), "--instance", of_b, NULL, NULL) &&
			!conns_has(m, client_port(young), "--instance", of_a, NULL, NULL),
		"listed by another server");
	require(conns_has(m, client_port(young), "--since", between, NULL, NULL) &&
			!conns_has(m, client_port(old), "--since", between, NULL, NULL),
		"not chosen by time");
	require(conns_has(m, client_port(young), "--since", between, "--instance", of_b) &&
			!conns_has(m, client_port(young), "--since", between, "--instance", of_a),
		"not chosen by both");
	r = run_command(8000, MONITOR, "conns", "--pid", str("%d", m->pid), "--instance", "nobody");
	require(r.status == 0 && strstr(r.out, "no connections"), "says: %s%s", r.out, r.err);
	r = run_command(8000, MONITOR, "conns", "--since", "soon");
	require(r.status == 2 && strstr(r.err, "soon"), "exit code %d: %s", r.status, r.err);
	client_close(old);
	client_close(young);
}

/* --- the socket --- */

static int dial(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	close(fd);
	return -1;
}

static const char *path_of(const struct monitor *m)
{
	return run_path(str("%d.sock", m->pid));
}

/* An attack is reported, and status answers, as if nobody else were there. */
static void still_works(struct monitor *m, const char *beside)
{
	struct trigger t;
	long long began = now_ms();

	monitors_mark();
	t = trigger("vm_readv", pid_of(a));
	expect(m, {.rule = "mem-read", .server = a, .by = &t},
	       {.rule = "self-blind", .optional = true, .many = true});
	status_json(m);
	require(now_ms() - began < 3000 * patience, "beside %s it took %lld ms", beside,
		now_ms() - began);
}

static void garbage(const void *arg)
{
	static const char bytes[] = "\0\xff?GET / HTTP/1.1\r\n\r\n{}ss";
	struct monitor *m = monitor_start(NULL);
	char reply[64];

	for (size_t i = 0; i < sizeof(bytes); i++) {
		int fd = dial(path_of(m));

		require(fd >= 0, "connect: %s", strerror(errno));
		require(send(fd, bytes + i, sizeof(bytes) - i, MSG_NOSIGNAL) > 0, "send: %s",
			strerror(errno));
		if (!strchr("stjcie", bytes[i]) || !bytes[i]) {
			sleep_ms(20 * patience);
			require(recv(fd, reply, sizeof(reply), 0) <= 0, "an answer to byte %02x",
				(unsigned char)bytes[i]);
		}
		close(fd);
	}
	still_works(m, "garbage");
}

static void flood(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	int fds[FLOOD], n = 0;

	for (int i = 0; i < FLOOD; i++) {
		fds[n] = dial(path_of(m));
		if (fds[n] >= 0)
			n++;
		else
			sleep_ms(1); /* until it has taken those that wait */
	}
	require(n > FLOOD / 10, "only %d connections", n);
	still_works(m, "silent clients");
	for (int i = 0; i < n; i++)
		close(fds[i]);
	still_works(m, "clients who left");
}

/* The client who asks and does not read: the reply fits into the socket, or is given up. */
static void deaf(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	int fds[64], n = 0, least = 1;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[n] = dial(path_of(m));
		if (fds[n] < 0)
			continue;
		setsockopt(fds[n], SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
		send(fds[n++], "s", 1, MSG_NOSIGNAL);
	}
	still_works(m, "clients who do not read");
	for (int i = 0; i < n; i++)
		close(fds[i]);
}

/*
 * Another name of the socket, in a directory that all may enter. Its mode keeps others out; where somebody changes that, the
 * monitor refuses them itself.
 */
static void wrong_user(const void *arg)
{
	static const char ask[] = "import socket, sys\n"
				  "s = socket.socket(socket.AF_UNIX)\n"
				  "try: s.connect(sys.argv[1])\n"
				  "except PermissionError: sys.exit('refused')\n"
				  "try: s.send(b's'); print(len(s.recv(100)))\n"
				  "except ConnectionError: print(0)\n";
	struct monitor *m = monitor_start(NULL);
	const char *dir = str("/run/cachewarden-test.%d", m->pid), *name = str("%s/sock", dir);
	struct child_opts as_nobody = {.setup = become_nobody};
	struct run r;
	struct stat st;

	if (access("/usr/bin/python3", X_OK))
		test_skip("no python3");
	require(!stat(path_of(m), &st) && (st.st_mode & 07777) == 0600 && !st.st_uid, "mode %o",
		st.st_mode);
	require(!mkdir(dir, 0755) && !link(path_of(m), name), "%s: %s", name, strerror(errno));
	r = run_with(&as_nobody, 8000, "/usr/bin/python3", "-c", ask, name);
	if (r.status == 1 && strstr(r.err, "refused")) {
		chmod(name, 0666);
		r = run_with(&as_nobody, 8000, "/usr/bin/python3", "-c", ask, name);
	} else {
		r.status = -1;
	}
	unlink(name);
	rmdir(dir);
	require(r.status == 0 && !strcmp(r.out, "0\n"), "another user: %d, %s%s", r.status, r.out,
		r.err);
	still_works(m, "another user");
}

static const struct test tests[] = {
	TEST("a monitor that is well says so, in text and in JSON", well),
	TEST("ports, connections, events and incidents are as they are", counts),
	TEST("kinds of files are known, or are not", files),
	TEST("the evidence log is described", kept),
	TEST("a log that cannot be kept is wrong: exit code 1", no_evidence),
	TEST("without a monitor the exit code is 3", nobody_there),
	TEST("the answer takes less than 100 ms", fast),
	TEST("garbage on the control socket is not answered", garbage),
	TEST("1,000 clients who say nothing do not hold the monitor up", flood),
	TEST("clients who do not read do not hold the monitor up", deaf),
	TEST("another user is refused, whatever the socket's mode", wrong_user),
	TEST("incidents lists what was reported, by each of its filters", latest_incidents),
	TEST("incidents --after over a restart of the monitor begins anew, and says so",
	     poll_over_a_restart),
	TEST("incidents answers root alone", incidents_for_root),
	TEST("conns lists those of one server, and those since a time", conns_chosen),
	{},
};

const struct suite status_suite = {"status", setup, NULL, tests};
