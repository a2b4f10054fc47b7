/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evidence.c - run --evidence: what happened is in a log that verifies, with its actor and without secrets, also when the
 * monitor was killed.
 */
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define SECRET "kumquatMarmalade77"

static struct server *a;

static void setup(void)
{
	a = server_start(&(struct server_opts){.plain = true});
}

static struct run evidence(const char *verb, const char *dir)
{
	return run_command(10000, MONITOR, "evidence", verb, dir);
}

static void verifies(const char *dir)
{
	struct run r = evidence("verify", dir);

	require(r.status == 0, "it does not verify: %s", r.err);
}

/* The record of an entry of that kind in what `show` printed, NULL if there is none; by: its actor's pid, 0: any. */
static json_t *find(const char *shown, const char *kind, pid_t by, long long *ret_index)
{
	for (const char *line = shown; *line; line = strchr(line, '\n') + 1) {
		json_t *v = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
		json_t *entry = json_object_get(v, "entry"),
		       *record = json_object_get(entry, "record");
		json_t *own = json_object_get(json_object_get(record, "unmapped"), "cachewarden");

		require(entry, "no entry: %.200s", line);
		if (!strcmp(json_string_value(json_object_get(entry, "kind")), kind) &&
		    (!by || number_at(own, "actor", "pid") == by)) {
			if (ret_index)
				*ret_index = json_integer_value(json_object_get(v, "index"));
			return record;
		}
		json_decref(v);
	}
	return NULL;
}

static void flip_a_byte(const char *dir, const char *text)
{
	const char *path = str("%s/wal/00000000.wal", dir);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	static char bytes[1 << 20];
	ssize_t n = read(fd, bytes, sizeof(bytes));
	char *at = n > 0 ? memmem(bytes, (size_t)n, text, strlen(text)) : NULL;

	require(at, "%s is not in %s", text, path);
	require(pwrite(fd, "X", 1, at - bytes) == 1, "%s: %s", path, strerror(errno));
	close(fd);
}

static void logged(const void *arg)
{
	static const char *const kinds[] = {"epoch", "start",	 "policy", "instance", "sensors",
					    "event", "incident", "totals", "stop"};
	const char *dir = str("%s/evidence-logged", scratch);
	struct monitor *m = monitor_start("--evidence", dir, NULL);
	struct trigger t;
	long long index;
	struct run r, client, reader;

	client = run_command(10000, "redis-cli", "-a", SECRET, "-p", str("%d", a->plain_port),
			     "set", "k", SECRET);
	reader = run_command(10000, "head", "-c", "1", SECRET, str("/proc/%d/mem", a->pid));
	t = trigger("vm_readv", pid_of(a));
	monitor_sync(m);
	require(alert_find(m, "mem-read", t.pid), "no alert");
	require(monitor_stop(m, SIGTERM) == 0, "the monitor failed: %s", file_read(m->err));

	require(!monitor_said(m, "evidence log:"), "records are missing: %s", file_read(m->out));
	verifies(dir);
	r = evidence("show", dir);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		require(find(r.out, kinds[i], 0, NULL), "no entry of kind %s: %s", kinds[i], r.out);
	require(find(r.out, "event", t.pid, &index),
		"the reader of the memory is not in an event: %s", r.out);
	require(strstr(r.out, str("\"pid\":%d", t.pid)), "nor in an incident");
	r = run_command(10000, MONITOR, "evidence", "show", "--rule", "mem-read", dir);
	require(find(r.out, "event", t.pid, NULL) && find(r.out, "incident", 0, NULL) &&
			!find(r.out, "start", 0, NULL),
		"--rule mem-read: %s", r.out);
	r = run_command(10000, MONITOR, "evidence", "prove", str("%lld", index), dir);
	require(r.status == 0 && strstr(r.out, str("\nindex %lld\n", index)), "no proof: %s%s",
		r.out, r.err);
	/* the secrets could have come into the log: what carried them is there */
	r = evidence("show", dir);
	require(find(r.out, "event", client.pid, NULL), "redis-cli is in no event: %s", r.out);
	require(find(r.out, "event", reader.pid, NULL), "head is in no event: %s", r.out);
	r = run_command(10000, "grep", "-r", "-l", SECRET, dir);
	require(r.status == 1, "a secret is in %s", r.out);

	flip_a_byte(dir, "\"kind\":\"incident\"");
	r = evidence("verify", dir);
	require(r.status == 1 && strstr(r.err, ": entry "), "a changed entry: exit code %d, %s",
		r.status, r.err);
}

static long long number_of(json_t *record, const char *key) /* or -1 */
{
	json_t *n = json_object_get(record, key);

	return n ? json_integer_value(n) : -1;
}

/* The record of an instance with that pid, NULL if there is none. */
static json_t *find_instance(const char *shown, pid_t pid)
{
	for (const char *line = shown; *line; line = strchr(line, '\n') + 1) {
		json_t *v = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
		json_t *record = json_object_get(json_object_get(v, "entry"), "record");

		if (json_object_get(record, "change") && number_of(record, "pid") == pid)
			return record;
		json_decref(v);
	}
	return NULL;
}

/* The kernel says whose a server is: shares go by it. */
static void account_recorded(const void *arg)
{
	const char *dir = str("%s/evidence-account", scratch);
	struct monitor *m = monitor_start("--evidence", dir, NULL);
	struct trigger t =
		trigger_stay("as_uid", str("%d", NOBODY), trigger_for_all("crowd"), "alive", "1");
	json_t *record;
	struct run r;

	monitor_sync(m);
	require(monitor_stop(m, SIGTERM) == 0, "the monitor failed: %s", file_read(m->err));
	r = evidence("show", dir);
	record = find_instance(r.out, (pid_t)trigger_int(&t, "last"));
	require(record, "pid %lld is in no entry: %s", trigger_int(&t, "last"), r.out);
	require(number_of(record, "user") == NOBODY && number_of(record, "account") == NOBODY,
		"user %lld, account %lld", number_of(record, "user"), number_of(record, "account"));
	record = find_instance(r.out, a->pid);
	require(record && number_of(record, "account") == 0, "root's server: %s", r.out);
}

static json_t *parsed(const char *text)
{
	json_t *v = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);

	require(v, "no JSON: %.300s", text);
	return v;
}

/* Of the only server in a statement. */
static json_t *counts_in(json_t *predicate)
{
	json_t *servers = json_object_get(predicate, "servers");

	require(json_array_size(servers) == 1, "not one server: %s", json_dumps(predicate, 0));
	return json_object_get(json_array_get(servers, 0), "counts");
}

#define VALUE 4000
#define CLOSE_BYTES 64 /* TLS's close_notify, either way */

/* Bytes of both clients, one of which is still there when the monitor ends, and nothing else. */
static void bytes_are(json_t *counts, uint64_t sent, uint64_t received)
{
	json_t *b = json_object_get(counts, "bytes");
	uint64_t in = (uint64_t)number_of(b, "received_walked"),
		 out = (uint64_t)number_of(b, "sent_walked");

	require(in >= sent && in <= sent + CLOSE_BYTES && out >= received &&
			out <= received + CLOSE_BYTES,
		"clients sent %llu and received %llu bytes, which is not %s",
		(unsigned long long)sent, (unsigned long long)received, json_dumps(b, 0));
	require(!number_of(b, "received_not_walked") && !number_of(b, "sent_not_walked"),
		"not walked: %s", json_dumps(b, 0));
}

/* What a statement says of the server: the attempts and handshakes that there were, what was allowed by which entry, and no others. */
static void stated(const void *arg)
{
	const char *dir = str("%s/evidence-stated", scratch),
		   *path = str("%s/stated.yaml", scratch);
	struct server *s = server_start(&(struct server_opts){});
	const char *name = str("redis-server:%d", s->tls_port);
	uint64_t sent = 0, received = 0;
	json_t *counts, *predicate, *allowed;
	struct client *c, *open;
	struct trigger t;
	struct monitor *m;
	struct run r;

	file_write(path, str("allow:\n  - rule: mem-read\n    exe: %s\n    reason: ticket 4711\n",
			     trigger_path("vm_readv")));
	m = monitor_start("--evidence", dir, "--statement-every", "1", "--policy", path, NULL);
	t = trigger("vm_readv", pid_of(s));
	r = run_command(10000, "head", "-c", "1", str("/proc/%d/mem", s->pid));
	c = client_open(s, "127.0.0.1", true);
	client_do(c, str("SET k %0*d", VALUE, 0));
	for (int i = 0; i < 20; i++)
		client_do(c, "GET k");
	client_bytes(c, &sent, &received);
	client_close(c);
	open = client_open(s, "127.0.0.1", true);
	client_do(open, "PING");
	monitor_sync(m);
	require(alert_find(m, "mem-read", r.pid) && alert_find(m, "mem-read", t.pid), "no events");
	require(monitor_stop(m, SIGTERM) == 0, "the monitor failed: %s", file_read(m->err));
	client_bytes(open, &sent, &received);
	client_close(open);
	verifies(dir);
	r = run_command(10000, MONITOR, "evidence", "statement", "--unsigned", "--instance", name,
			dir);
	require(r.status == 0, "no statement: %s", r.err);
	predicate = json_object_get(parsed(r.out), "predicate");
	counts = counts_in(predicate);
	require(number_at(json_object_get(counts, "accesses"), "mem-read", "alert") >= 1 &&
			number_at(json_object_get(counts, "accesses"), "mem-read", "allowed") == 1,
		"accesses: %s", r.out);
	allowed = json_object_get(json_object_get(counts, "allowed"), str("%s:2", path));
	require(number_of(allowed, "count") == 1, "by which entry: %s", r.out);
	require(json_object_size(json_object_get(counts, "handshakes")) == 1, "handshakes: %s",
		r.out);
	require(number_of(counts, "plaintext_bytes") == 0, "plaintext: %s", r.out);
	bytes_are(counts, sent, received);
	require(number_of(counts, "incidents") == 1, "incidents: %s", r.out);
	require(number_at(json_object_get(predicate, "counts"), "sweeps", "count") >= 1,
		"no sweep: %s", r.out);
	require(number_at(predicate, "statements", "count") >= 1, "none of its own: %s", r.out);
	require(number_at(predicate, "coverage", "watched_ms") > 0, "nobody watched: %s", r.out);
	r = run_command(10000, MONITOR, "evidence", "statement", "--unsigned", "--number", "1",
			dir);
	require(r.status == 0 && strstr(r.out, name), "statement 1: %s%s", r.out, r.err);
	server_stop(s, SIGTERM);
}

/* Fails if the secret is in a file of that name below the directory, or if there is no such file. */
static void no_secret_in(const char *dir, const char *name)
{
	struct run r =
		run_command(10000, "grep", "-r", "-l", "-e", SECRET, str("%s/%s", dir, name));

	require(r.status == 1, "grep: exit code %d, the secret is in %s%s", r.status, r.out, r.err);
}

/* Value, key, password; argument, environment and standard input of an actor. All that is made of the log has none of them. */
static void kept_private(const void *arg)
{
	const char *dir = str("%s/evidence-private", scratch), *made = str("%s/made", scratch);
	const char *named = str("%s/" SECRET, scratch);
	struct monitor *m = monitor_start("--evidence", dir, NULL);
	struct run r, client, reader;
	json_t *incident;

	file_write(named, "");
	client = run_command(10000, "redis-cli", "-a", SECRET, "-p", str("%d", a->plain_port),
			     "set", SECRET, SECRET);
	reader = run_command(10000, "env", "TOKEN=" SECRET, "sh", "-c",
			     str("exec head -c 1 /proc/%d/mem '" SECRET "' <'%s'", a->pid, named));
	monitor_sync(m);
	require(alert_find(m, "mem-read", reader.pid), "no alert");
	require(monitor_stop(m, SIGTERM) == 0, "the monitor failed: %s", file_read(m->err));

	r = run_command(10000, MONITOR, "evidence", "show", dir);
	require(find(r.out, "event", client.pid, NULL) && find(r.out, "event", reader.pid, NULL),
		"not both are in the log: %s", r.out);
	incident = find(r.out, "incident", 0, NULL);
	require(incident, "no incident: %s", r.out);
	r = run_command(
		10000, "sh", "-c",
		str("mkdir %s && cd %s && e='%s evidence' && $e export b.tar.zst %s && "
		    "zstd -dqc b.tar.zst | tar xf - && python3 evidence/verify.py && "
		    "$e report all.html %s && $e report --incident %s one.html %s && "
		    "$e statement --unsigned %s >asked && $e statement --unsigned --number 1 %s >own && "
		    "$e statement --month $(date -u +%%Y-%%m) --format html %s >month.html",
		    made, made, str("%s/build/cachewarden", getcwd(NULL, 0)), dir, dir,
		    json_string_value(
			    json_object_get(json_object_get(incident, "finding_info"), "uid")),
		    dir, dir, dir, dir));
	require(r.status == 0, "nothing is made of the log: %s%s", r.out, r.err);
	no_secret_in(dir, ".");
	no_secret_in(made, "evidence/entries.jsonl");
	no_secret_in(made, "evidence/report.html");
	no_secret_in(made, "evidence");
	no_secret_in(made, "all.html");
	no_secret_in(made, "one.html");
	no_secret_in(made, "asked");
	no_secret_in(made, "own");
	no_secret_in(made, "month.html");
	require(!strstr(file_read(m->out), SECRET) && !strstr(file_read(m->err), SECRET),
		"it is in the monitor's output");
}

/* Runs a script with the log, the incident and the monitor as $1, $2 and $3, in a directory of its own. */
static void shell(const char *in, const char *log, const char *incident, const char *script)
{
	struct run r =
		run_command(60000, "sh", "-ec", str("mkdir -p %s && cd %s && %s", in, in, script),
			    "sh", log, incident, str("%s/" MONITOR, getcwd(NULL, 0)));

	require(r.status == 0, "%s: exit code %d: %s%s", script, r.status, r.out, r.err);
}

static bool have(const char *program)
{
	return run_command(10000, "sh", "-c", str("command -v %s", program)).status == 0;
}

/* gdb attaches to a server: the bundle of that incident verifies by other people's programs alone, and not if a byte is changed. */
static void gdb_proved(const void *arg)
{
	static const char *const tools[] = {"gdb",	  "openssl", "signify-openbsd", "minisign",
					    "ssh-keygen", "go",	     "python3",		"zstd"};
	const char *dir = str("%s/evidence-gdb", scratch), *in = str("%s/proved", scratch);
	const char *uid;
	struct monitor *m;
	json_t *incident = NULL;
	struct run r;

	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		if (!have(tools[i]))
			test_skip("no %s here", tools[i]);
	}
	m = monitor_start("--evidence", dir, NULL);
	r = run_command(60000, "gdb", "-p", str("%d", a->pid), "-batch", "-ex", "x/4xb $sp");
	require(r.status == 0, "gdb: %d %s", r.status, r.err);
	monitor_sync(m);
	require(monitor_stop(m, SIGTERM) == 0, "the monitor failed: %s", file_read(m->err));
	r = evidence("show", dir);
	for (const char *line = r.out; *line; line = strchr(line, '\n') + 1) {
		incident = find(line, "incident", 0, NULL); /* there or later */
		if (!incident || strstr(json_dumps(incident, 0), "\"comm\": \"gdb\""))
			break; /* tests of another part have incidents, too */
	}
	uid = json_string_value(json_object_get(json_object_get(incident, "finding_info"), "uid"));
	require(uid, "gdb is in no incident: %s", r.out);

	shell(in, dir, uid, "$3 evidence export --incident $2 b.tar.zst $1");
	shell(in, dir, uid,
	      "zstd -dqc b.tar.zst | tar xf -; cd evidence; sha256sum -c manifest.sha256; python3 verify.py");
	shell(in, dir, uid, "grep -q gdb evidence/entries.jsonl; grep -q gdb evidence/report.html");
	shell(in, dir, uid,
	      "$3 evidence signatures tools $1 >commands; cmp tools/checkpoint.txt evidence/checkpoint || "
	      "grep -q -F \"$(sed -n 2,3p tools/checkpoint.txt)\" evidence/checkpoint");
	shell(in, dir, uid, "cd tools; . ../commands"); /* openssl, signify, minisign, ssh-keygen */
	if (!access("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog", F_OK)) {
		shell(in, dir, uid,
		      str("GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$PWD/go GOFLAGS= go build -o evidence-go "
			  "%s/tests/tools/evidence.go",
			  getcwd(NULL, 0)));
		shell(in, dir, uid, "./evidence-go $1 \"$(cat $1/vkey)\"");
	}

	shell(in, dir, uid,
	      "sed -i '0,/gdb/s//gdB/' evidence/entries.jsonl; cd evidence; "
	      "if python3 verify.py || sha256sum -c manifest.sha256; then exit 9; fi");
	shell(in, dir, uid,
	      "sed -i '2s/./9/' tools/checkpoint.txt; cd tools; "
	      "while read -r c; do if sh -c \"$c\"; then exit 9; fi; done <../commands");
}

/* An alert is on the disk when the monitor is killed right after it. */
static void killed(const void *arg)
{
	const char *dir = str("%s/evidence-killed", scratch);
	struct monitor *m = monitor_start("--evidence", dir, NULL);
	struct trigger t = trigger("vm_readv", pid_of(a));
	struct run r;

	monitor_sync(m);
	require(alert_find(m, "mem-read", t.pid), "no alert");
	sleep_ms(500 * patience);
	child_stop(m->pid, SIGKILL, 8000);
	verifies(dir);
	r = evidence("show", dir);
	require(find(r.out, "event", t.pid, NULL), "the event is not on the disk: %s", r.out);
	require(!find(r.out, "stop", 0, NULL), "it says that it ended");
	m = monitor_start("--evidence", dir, NULL);
	require(monitor_stop(m, SIGTERM) == 0, "the monitor failed: %s", file_read(m->err));
	verifies(dir);
	r = evidence("show", dir);
	require(find(r.out, "recovery", 0, NULL), "no recovery: %s", r.out);
}

/* The log cannot be written: it is said, and the monitor goes on. */
static void unwritable(const void *arg)
{
	const char *dir = str("%s/evidence-unwritable", scratch);
	struct monitor *m;
	struct trigger t;

	file_write(dir, "");
	m = monitor_start("--evidence", dir, NULL);
	t = trigger("vm_readv", pid_of(a));
	expect(m, {.rule = "mem-read", .vector = "process_vm_readv", .server = a, .by = &t},
	       {.rule = "self-blind",
		.detail = "no evidence is kept: cannot open it: Not a directory"});
}

static const struct test tests[] = {
	TEST("an incident is in the log, with its actor and no secret", logged),
	TEST("a statement has the attempts and handshakes that there were", stated),
	TEST("what is made of the log has no secret, and verifies", kept_private),
	TEST("the bundle of an incident made by gdb verifies by other programs", gdb_proved),
	TEST("an alert is on the disk when the monitor is killed", killed),
	TEST("the account that answers for a server is in the log", account_recorded),
	TEST("a log that cannot be written is reported", unwritable),
	{},
};

const struct suite evidence_suite = {.name = "evidence", .setup = setup, .tests = tests};
