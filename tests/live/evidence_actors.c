/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evidence_actors.c - what the evidence log has about actors, servers and the monitor itself, compared with what the kernel, dpkg and
 * OpenSSL say of them; and what it never has.
 */
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECRET "kumquatMarmalade77"

static struct server *a;

static void setup(void)
{
	a = server_start(&(struct server_opts){.plain = true});
}

/* --- the log --- */

static const char *shown(const char *dir, const char *option, const char *value)
{
	struct run r = option ? run_command(10000, MONITOR, "evidence", "show", option, value, dir)
			      : run_command(10000, MONITOR, "evidence", "show", dir);

	require(r.status == 0, "evidence show: %s", r.err);
	return r.out;
}

static void verifies(const char *dir)
{
	struct run r = run_command(10000, MONITOR, "evidence", "verify", dir);

	require(r.status == 0, "it does not verify: %s", r.err);
}

/* The next record of that kind whose member is that number or text; NULL: there is none. *at: where to go on. */
static json_t *next_record(const char **at, const char *kind, const char *key, const char *want)
{
	while (**at) {
		json_t *v = json_loads(*at, JSON_DISABLE_EOF_CHECK, NULL);
		json_t *entry = json_object_get(v, "entry"),
		       *record = json_object_get(entry, "record"),
		       *member = key ? json_object_get(record, key) : NULL;
		const char *text =
			json_string_value(member) ?: str("%lld", json_integer_value(member));

		require(entry, "no entry: %.200s", *at);
		*at = strchr(*at, '\n') + 1;
		if (!strcmp(json_string_value(json_object_get(entry, "kind")), kind) &&
		    (!key || !strcmp(text, want)))
			return record;
		json_decref(v);
	}
	return NULL;
}

static json_t *record_of(const char *from, const char *kind, const char *key, const char *want)
{
	json_t *record = next_record(&from, kind, key, want);

	require(record, "no entry of kind %s with %s %s", kind, key ?: "", want ?: "");
	return record;
}

static json_t *actor_of(const char *from, pid_t pid)
{
	return record_of(from, "actor", "pid", str("%d", pid));
}

static const char *text_in(json_t *record, const char *key)
{
	return json_string_value(json_object_get(record, key)) ?: "";
}

static bool has_word(json_t *all, const char *word)
{
	for (size_t i = 0; i < json_array_size(all); i++) {
		if (!strcmp(json_string_value(json_array_get(all, i)), word))
			return true;
	}
	return false;
}

/* First word of what a command printed. */
static const char *word_in(struct run r)
{
	require(r.status == 0, "%s", r.err);
	r.out[strcspn(r.out, " \n")] = '\0';
	return r.out;
}

#define word_of(...) word_in(run_command(20000, __VA_ARGS__))

static struct monitor *start(const char *dir)
{
	return monitor_start("--evidence", dir, NULL);
}

/* Waits: on a busy host the monitor may be late. */
static bool reported(struct monitor *m, const char *rule, pid_t pid)
{
	for (long long end = now_ms() + 5000 * patience; now_ms() < end; sleep_ms(50)) {
		monitor_poll(m);
		if (alert_find(m, rule, pid))
			return true;
	}
	return false;
}

static void stop(struct monitor *m, const char *dir)
{
	monitor_sync(m);
	require(monitor_stop(m, SIGTERM) == 0, "the monitor failed: %s", file_read(m->err));
	require(!monitor_said(m, "evidence log: records"), "something is missing: %s",
		file_read(m->out));
	verifies(dir);
}

/* --- actors --- */

static void compare_file(json_t *actor, const char *path)
{
	json_t *file = json_object_get(actor, "file"), *package = json_object_get(file, "package");
	const char *version;

	require(!strcmp(text_in(file, "sha256"), word_of("sha256sum", path)) &&
			json_is_true(json_object_get(file, "as_at_the_deed")) &&
			!strcmp(text_in(file, "found_by"), "process"),
		"file: %s", json_dumps(file, 0));
	if (access("/var/lib/dpkg/status", F_OK)) {
		require(json_is_null(package) && text_in(file, "package_unknown")[0],
			"no dpkg here, but: %s", json_dumps(file, 0));
		return;
	}
	version = word_of("dpkg-query", "-W", "-f", "${Version}", "coreutils");
	require(!strcmp(text_in(package, "name"), "coreutils") &&
			!strcmp(text_in(package, "version"), version) &&
			!strcmp(text_in(package, "contents"), "as delivered"),
		"package: %s, not %s", json_dumps(file, 0), version);
}

static void compare_process(json_t *actor, pid_t pid)
{
	json_t *parent = json_array_get(json_object_get(actor, "ancestors"), 0);
	json_t *rights = json_object_get(actor, "capabilities");
	char link[64] = "", path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)getpid());
	require(readlink(path, link, sizeof(link) - 1) > 0 &&
			strstr(link, str("[%lld]", number_at(actor, "namespaces", "mnt"))),
		"namespaces: %s, not %s", json_dumps(actor, 0), link);
	require(json_integer_value(json_object_get(parent, "pid")) == getpid() &&
			number_at(actor, "login", "session_leader") == getsid(0),
		"pid %d has not its parent and session: %s", (int)pid, json_dumps(actor, 0));
	require(has_word(json_object_get(rights, "effective"), "sys_admin") &&
			has_word(json_object_get(rights, "bounding"), "sys_admin"),
		"capabilities: %s", json_dumps(rights, 0));
	require(has_word(json_object_get(json_object_get(actor, "environment"), "names"), "PATH"),
		"environment: %s", json_dumps(actor, 0));
	require(number_at(actor, "host_state", "taint") >= 0 &&
			number_at(actor, "host_state", "boottime") > 0 &&
			json_is_object(
				json_object_get(json_object_get(actor, "host_state"), "ntp")),
		"host: %s", json_dumps(actor, 0));
	require(json_array_size(json_object_get(actor, "unread")) == 0, "not read: %s",
		json_dumps(actor, 0));
}

/* All that is said of it is what the kernel and dpkg say; it is found from the incident. */
static void enriched(const void *arg)
{
	const char *dir = str("%s/actor", scratch), *uid, *of_incident;
	const char *const argv[] = {"tail", "-f", str("/proc/%d/maps", a->pid), NULL};
	const char *out = str("%s/actor.out", scratch), *from;
	struct monitor *m = start(dir);
	json_t *actor;
	pid_t pid = child_start(argv, &(struct child_opts){.out = out});

	require(file_wait(out, "r-xp", 8000), "tail read nothing");
	monitor_sync(m);
	require(reported(m, "mem-inspect", pid), "no alert");
	sleep_ms(500 * patience); /* it is looked at while it lives */
	child_stop(pid, SIGKILL, 8000);
	stop(m, dir);
	actor = actor_of(shown(dir, NULL, NULL), pid);
	compare_file(actor, "/usr/bin/tail");
	compare_process(actor, pid);
	uid = json_string_value(json_array_get(json_object_get(actor, "incidents"), 0));
	require(uid, "it is of no incident: %s", json_dumps(actor, 0));
	actor_of(shown(dir, "--actor", str("%d", pid)), pid);
	from = shown(dir, "--instance", text_at(actor, "instance", "name"));
	require(next_record(&from, "instance", NULL, NULL) &&
			next_record(&from, "actor", "pid", str("%d", pid)),
		"it is not shown by server");
	from = shown(dir, "--severity", "medium");
	require(next_record(&from, "event", NULL, NULL), "no event is shown by severity");
	from = shown(dir, "--severity", "info");
	require(!next_record(&from, "actor", NULL, NULL), "what has no severity is shown by it");
	of_incident = shown(dir, "--incident", uid);
	actor_of(of_incident, pid);
	from = of_incident;
	require(next_record(&from, "event", NULL, NULL), "the incident has no event");
	require(!strstr(of_incident, "\"kind\":\"sensors\""), "others are shown, too");
}

/* Addresses, permissions and names, as the kernel has them. */
static void layout(const void *arg)
{
	const char *dir = str("%s/layout", scratch), *maps, *first, *shows;
	struct monitor *m = start(dir);
	struct trigger t;
	json_t *record, *regions;
	size_t n = 0;

	t = trigger("vm_readv", pid_of(a));
	monitor_sync(m);
	require(reported(m, "mem-read", t.pid), "no alert");
	stop(m, dir);
	maps = file_read(str("/proc/%d/maps", a->pid));
	shows = shown(dir, NULL, NULL);
	do /* tests of another part attack other servers */
		record = next_record(&shows, "layout", "number", "1");
	while (record && number_at(record, "instance", "pid") != a->pid);
	require(record, "no layout of it");
	regions = json_object_get(record, "regions");
	first = json_string_value(json_array_get(regions, 0));
	require(first && !strncmp(first, maps, strcspn(first, " ")), "%s is not the first of %s",
		first, maps);
	for (const char *line = maps; *line; line = strchr(line, '\n') + 1)
		n++;
	require(json_array_size(regions) > n / 2 && json_array_size(regions) < 2 * n,
		"%zu regions, and the kernel has %zu", json_array_size(regions), n);
}

/* The process acts and is a client at the same time. */
static void connected(const void *arg)
{
	const char *dir = str("%s/connected", scratch);
	struct server *s = server_start(&(struct server_opts){.plain = true});
	struct monitor *m = start(dir);
	struct client *tls = client_open(s, "127.0.0.1", true),
		      *plain = client_open(s, "127.0.0.1", false);
	bool found[2] = {};
	json_t *all;
	int fd;

	client_do(tls, "PING");
	client_do(plain, "PING");
	monitor_sync(m);
	fd = open(str("/proc/%d/mem", s->pid), O_RDONLY | O_CLOEXEC);
	require(fd >= 0, "open: %s", strerror(errno));
	monitor_sync(m);
	close(fd);
	require(reported(m, "mem-read", getpid()), "no alert");
	stop(m, dir);
	all = json_object_get(actor_of(shown(dir, NULL, NULL), getpid()), "connections");
	for (size_t i = 0; i < json_array_size(all); i++) {
		json_t *c = json_array_get(all, i);
		long long from = number_at(c, "local", "port"), to = number_at(c, "remote", "port");

		if (from == client_port(tls) && to == s->tls_port)
			found[0] = !strcmp(text_in(c, "tls_version"), "TLSv1.3") &&
				   !strcmp(text_in(c, "state"), "ESTABLISHED");
		if (from == client_port(plain) && to == s->plain_port)
			found[1] = !json_object_get(c, "tls_version");
	}
	require(found[0] && found[1], "connections: %s", json_dumps(all, 0));
	client_close(tls);
	client_close(plain);
	server_stop(s, SIGTERM);
}

/* It has ended before anybody can look at it, or not: then what is said is true, and what is not known is said. */
static void gone(const void *arg)
{
	const char *dir = str("%s/gone", scratch),
		   *real = word_of("sha256sum", trigger_path("vm_readv"));
	struct monitor *m = start(dir);
	const char *from;
	json_t *actor, *file;
	struct trigger t[8];
	size_t told = 0;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		t[i] = trigger("vm_readv", pid_of(a));
	monitor_sync(m);
	stop(m, dir);
	from = shown(dir, NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		actor = actor_of(from, t[i].pid);
		file = json_object_get(actor, "file");
		require(!text_in(file, "sha256")[0] || !strcmp(text_in(file, "sha256"), real),
			"pid %d: another file: %s", (int)t[i].pid, json_dumps(file, 0));
		require(json_object_get(actor, "environment") ||
				json_array_size(json_object_get(actor, "unread")),
			"neither read nor said: %s", json_dumps(actor, 0));
		told += text_in(file, "sha256")[0] != 0;
	}
	require(told == ARRAY_SIZE(t), "%zu of %zu executables have a digest", told, ARRAY_SIZE(t));
}

/* --- executables in no directory --- */

static void kept(const void *arg)
{
	const char *dir = str("%s/kept", scratch), *policy = str("%s/kept.yaml", scratch);
	const char *made = str("%s/kept.made", scratch), *shows, *path;
	const char *real = word_of("sha256sum", trigger_path("hold"));
	const char *const kinds[] = {"memfd", "deleted"};
	struct monitor *m;
	struct trigger t[2];
	struct stat st;
	struct run r;

	file_write(policy, "evidence:\n  keep-executables: 64\n");
	m = monitor_start("--evidence", dir, "--policy", policy, NULL);
	for (size_t i = 0; i < 2; i++)
		t[i] = trigger_stay("disguise", kinds[i], trigger_path("hold"), pid_of(a), "mem");
	monitor_sync(m);
	require(reported(m, "mem-read", t[1].pid), "no alert");
	sleep_ms(500 * patience);
	stop(m, dir);
	shows = shown(dir, NULL, NULL);
	for (size_t i = 0; i < 2; i++) {
		json_t *file = json_object_get(actor_of(shows, t[i].pid), "file");

		require(!strcmp(text_in(file, "kind"), kinds[i]) &&
				!strcmp(text_in(file, "sha256"), real) &&
				!strcmp(text_in(file, "blob"), real),
			"%s: %s", kinds[i], json_dumps(file, 0));
	}
	path = str("%s/blobs/sha256/%.2s/%s", dir, real, real);
	require(!stat(path, &st) && (st.st_mode & 07777) == 0600, "%s: mode %o", path, st.st_mode);
	require(run_command(10000, "cmp", path, trigger_path("hold")).status == 0, "another file");
	r = run_command(
		20000, "sh", "-c",
		str("mkdir %s && cd %s && %s/" MONITOR " evidence export b.tar.zst %s && zstd -dqc "
		    "b.tar.zst | tar xf - && python3 evidence/verify.py && cmp evidence/blob-%s %s",
		    made, made, getcwd(NULL, 0), dir, real, trigger_path("hold")));
	require(r.status == 0, "bundle: %s%s", r.out, r.err);
	require(!truncate(path, 1), "truncate: %s", strerror(errno));
	r = run_command(10000, MONITOR, "evidence", "verify", dir);
	require(r.status == 1 && strstr(r.err, "its digest is not its name"), "%d, %s", r.status,
		r.err);
}

/* Without the policy key no byte is kept. */
static void not_kept(const void *arg)
{
	const char *dir = str("%s/notkept", scratch);
	struct monitor *m = start(dir);
	struct trigger t =
		trigger_stay("disguise", "memfd", trigger_path("hold"), pid_of(a), "mem");
	json_t *file;

	monitor_sync(m);
	require(reported(m, "mem-read", t.pid), "no alert");
	sleep_ms(500 * patience);
	stop(m, dir);
	file = json_object_get(actor_of(shown(dir, NULL, NULL), t.pid), "file");
	require(text_in(file, "sha256")[0] && !text_in(file, "blob")[0] &&
			strstr(text_in(file, "blob_missing"), "keep-executables"),
		"%s", json_dumps(file, 0));
	require(access(str("%s/blobs", dir), F_OK), "there are blobs");
}

/* --- what else is logged --- */

static const char *fingerprint(void)
{
	struct run r = run_command(10000, "openssl", "x509", "-in", str("%s/cert.pem", scratch),
				   "-noout", "-fingerprint", "-sha256");
	char *text = strrchr(r.out, '='), *to = text;

	require(text, "openssl printed no fingerprint: %s", r.err);
	for (const char *p = text + 1; *p && *p != '\n'; p++) {
		if (*p != ':')
			*to++ = (char)(*p >= 'A' ? *p + 32 : *p);
	}
	*to = '\0';
	return text;
}

/* Found, described and gone: its executable, configuration and certificate. */
static void servers(const void *arg)
{
	const char *dir = str("%s/servers", scratch), *shows, *pid;
	struct monitor *m = start(dir);
	struct server *s = server_start(&(struct server_opts){});
	const char *config = word_of("sha256sum", s->config), *cert;
	json_t *record, *file;

	pid = str("%d", s->pid);
	cert = fingerprint();
	sleep_ms(3500 * patience); /* its start is over a second after it listens */
	server_stop(s, SIGTERM);
	stop(m, dir);
	shows = shown(dir, NULL, NULL);
	record = record_of(shows, "server", "pid", pid);
	file = json_array_get(json_object_get(record, "configuration"), 0);
	require(!strcmp(text_in(file, "path"), s->config) &&
			!strcmp(text_in(file, "sha256"), config),
		"configuration: %s", json_dumps(record, 0));
	file = json_array_get(json_object_get(record, "certificates"), 0);
	require(!strcmp(text_in(file, "sha256"), cert), "certificate: %s, not %s",
		json_dumps(record, 0), cert);
	while ((record = next_record(&shows, "instance", "pid", pid))) {
		if (!strcmp(text_in(record, "change"), "started"))
			require(!strcmp(text_in(record, "sha256"),
					word_of("sha256sum", text_in(record, "exe"))),
				"executable: %s", json_dumps(record, 0));
		if (!strcmp(text_in(record, "change"), "ended"))
			return;
	}
	require(false, "its end is not in the log");
}

/* Of a severity that is logged? */
static bool is_logged(json_t *alert)
{
	static const char *const logged[] = {"medium", "high", "critical"};

	for (size_t i = 0; i < ARRAY_SIZE(logged); i++) {
		if (!strcmp(alert_str(alert, "severity"), logged[i]))
			return true;
	}
	return !strcmp(alert_str(alert, "verdict"), "alert");
}

/* Whatever was printed of severity medium or worse is in the log, and so is each incident, with the actor of every action. */
static void everything(const void *arg)
{
	const char *dir = str("%s/everything", scratch), *shows;
	struct monitor *m = start(dir);
	size_t events = 0, actions = 0;
	struct trigger t[2];

	t[0] = trigger("vm_readv", pid_of(a));
	t[1] = trigger("ptrace", pid_of(a), "attach");
	run_command(10000, "cat", str("/proc/%d/maps", a->pid));
	run_command(10000, "redis-cli", "-p", str("%d", a->plain_port), "PING");
	monitor_sync(m);
	require(reported(m, "mem-read", t[0].pid) && reported(m, "mem-trace", t[1].pid),
		"no alerts");
	stop(m, dir);
	monitor_poll(m);
	shows = shown(dir, NULL, NULL);
	for (size_t i = m->mark; i < m->count; i++) {
		if (!is_logged(m->lines[i]))
			continue;
		require(strstr(shows, str("\"uid\":\"%s\"", alert_uid(m->lines[i]))),
			"not logged: %s", alert_text(m->lines[i]));
		events++;
	}
	for (size_t i = m->incident_mark; i < m->incident_count; i++) {
		json_t *in = m->incidents[i],
		       *own = json_object_get(json_object_get(in, "unmapped"), "cachewarden"),
		       *all = json_object_get(own, "events");

		require(strstr(shows, str("\"uid\":\"%s\"", alert_uid(in))), "not logged: %s",
			json_dumps(in, 0));
		for (size_t k = 0; k < json_array_size(all); k++) {
			json_t *by = json_object_get(json_array_get(all, k), "actor");

			require(!json_is_object(by) ||
					strstr(shows,
					       json_dumps(by, JSON_COMPACT | JSON_SORT_KEYS)),
				"not with its actor: %s", json_dumps(by, 0));
			actions++;
		}
	}
	require(events >= 4 && actions >= 4, "%zu events, %zu actions", events, actions);
}

#define SECRET_VALUE "quincePreserve31"

static void policies(const void *arg)
{
	const char *dir = str("%s/policies", scratch), *policy = str("%s/logged.yaml", scratch);
	const char *changes[] = {"loaded", "reloaded"}, *digest[2], *refused, *shows;
	struct monitor *m;
	json_t *record;

	file_write(policy, "incidents:\n  quiet: 61\n");
	digest[0] = word_of("sha256sum", policy);
	m = monitor_start("--evidence", dir, "--policy", policy, NULL);
	file_write(policy, "incidents:\n  quiet: 62\n");
	digest[1] = word_of("sha256sum", policy);
	kill(m->pid, SIGHUP);
	require(file_wait(m->err, "policy reloaded", 8000), "not reloaded: %s", file_read(m->err));
	file_write(policy, "incidents:\n  quiet: '" SECRET_VALUE "'\n");
	refused = word_of("sha256sum", policy);
	kill(m->pid, SIGHUP);
	require(file_wait(m->err, "the new policy is invalid", 8000), "not refused: %s",
		file_read(m->err));
	stop(m, dir);
	shows = shown(dir, NULL, NULL);
	record = record_of(shows, "policy-refused", "path", policy);
	require(!strcmp(text_in(record, "sha256"), refused) &&
			strstr(text_in(record, "error"), str("%s:2: ", policy)),
		"refused: %s", json_dumps(record, 0));
	require(!strstr(shows, SECRET_VALUE), "a value of the policy is in the log: %s",
		json_dumps(record, 0));
	for (int i = 0; i < 2; i++) {
		record = record_of(shows, "policy", "change", changes[i]);
		require(!strcmp(text_in(json_array_get(json_object_get(record, "files"), 0),
					"sha256"),
				digest[i]),
			"%s: %s, not %s", changes[i], json_dumps(record, 0), digest[i]);
	}
}

/* It was stopped, and killed; the host is the same. */
static void gaps(const void *arg)
{
	const char *dir = str("%s/gaps", scratch), *shows;
	struct monitor *m = start(dir);
	char *boot = file_read("/proc/sys/kernel/random/boot_id");
	json_t *record;

	monitor_sync(m);
	kill(m->pid, SIGSTOP);
	sleep_ms(6500);
	kill(m->pid, SIGCONT);
	sleep_ms(2500 * patience);
	child_stop(m->pid, SIGKILL, 8000);
	m = start(dir);
	stop(m, dir);
	shows = shown(dir, NULL, NULL);
	record = record_of(shows, "away", NULL, NULL);
	require(json_integer_value(json_object_get(record, "to")) -
				json_integer_value(json_object_get(record, "from")) >=
			5000,
		"away: %s", json_dumps(record, 0));
	boot[strcspn(boot, "\n")] = '\0';
	for (int i = 0; i < 2; i++) {
		record = next_record(&shows, "start", NULL, NULL);
		require(record && !strcmp(text_in(record, "boot_id"), boot), "start %d", i);
		require(number_at(record, "host_state", "taint") >= 0, "host: %s",
			json_dumps(record, 0));
	}
	require(next_record(&shows, "sensors", NULL, NULL), "no sensors after the second start");
}

#define OTHER_BOOT "6b1f6a1e-0000-4000-8000-b00700000001"

static const char *other_boot_path(void)
{
	return str("%s/other-boot", scratch);
}

/* In the monitor alone: as if the host had been started again. */
static void boot_again(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(other_boot_path(), "/proc/sys/kernel/random/boot_id", NULL, MS_BIND, NULL))
		_exit(125);
}

/* The log goes on after a boot, and says that there was one; a statement of both names both. */
static void booted(const void *arg)
{
	const char *dir = str("%s/boots", scratch), *shows, *boot[2];
	const char *const argv[] = {MONITOR,	"run",	      "--output", "json",
				    "--events", "--evidence", dir,	  NULL};
	struct monitor *m = start(dir);
	json_t *record, *host, *boots;
	struct trigger t;
	struct run r;

	boot[0] = strtok(file_read("/proc/sys/kernel/random/boot_id"), "\n");
	boot[1] = OTHER_BOOT;
	stop(m, dir);
	file_write(other_boot_path(), OTHER_BOOT "\n");
	m = monitor_start_with(&(struct child_opts){.setup = boot_again}, argv);
	monitor_ready(m);
	t = trigger("vm_readv", pid_of(a));
	require(reported(m, "mem-read", t.pid), "not reported");
	stop(m, dir);
	shows = shown(dir, NULL, NULL);
	for (int i = 0; i < 2; i++) {
		record = next_record(&shows, "start", NULL, NULL);
		require(record && !strcmp(text_in(record, "boot_id"), boot[i]), "start %d: %s", i,
			json_dumps(record, 0));
	}
	record = actor_of(shows, t.pid);
	require(!strncmp(text_in(record, "process_uid"), OTHER_BOOT, 8), "of which boot: %s",
		json_dumps(record, 0));
	r = run_command(10000, MONITOR, "evidence", "statement", "--unsigned", dir);
	require(r.status == 0, "no statement: %s", r.err);
	host = json_object_get(json_object_get(json_loads(r.out, 0, NULL), "predicate"), "monitor");
	boots = json_object_get(host, "boot_id");
	require(json_array_size(boots) == 2 && has_word(boots, boot[0]) && has_word(boots, boot[1]),
		"boots: %s", r.out);
}

/* In a guest alone: nobody else's clock is set. */
static void clock_set(const void *arg)
{
	const char *dir = str("%s/clock", scratch);
	struct monitor *m;
	struct timespec t;
	json_t *record;

	if (!getenv("CACHEWARDEN_LANE"))
		test_skip("this host's clock is not the test's");
	m = start(dir);
	monitor_sync(m);
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += 100;
	require(!clock_settime(CLOCK_REALTIME, &t), "clock_settime: %s", strerror(errno));
	sleep_ms(3000 * patience);
	t.tv_sec -= 97;
	clock_settime(CLOCK_REALTIME, &t);
	stop(m, dir);
	record = record_of(shown(dir, NULL, NULL), "clock", NULL, NULL);
	require(json_is_true(json_object_get(record, "set")) &&
			llabs(json_integer_value(json_object_get(record, "step_ms")) - 100000) <
				1000,
		"%s", json_dumps(record, 0));
}

/* --- privacy --- */

static void nowhere(const char *where)
{
	struct run r = run_command(20000, "grep", "-r", "-l", "-a", "-e", SECRET, where);

	require(r.status == 1, "grep: exit code %d, the secret is in %s%s", r.status, r.out, r.err);
}

/*
 * In the actor's environment, arguments, and in the name of a file that it has open; in the server's values and password. It lives
 * while it is looked at, and a copy of its executable is kept.
 */
static void private(const void *arg)
{
	const char *dir = str("%s/private", scratch), *made = str("%s/private.made", scratch);
	const char *named = str("%s/" SECRET, scratch), *policy = str("%s/private.yaml", scratch);
	const char *ready = str("%s/private.ready", scratch);
	struct server *s = server_start(
		&(struct server_opts){.plain = true, .extra = "requirepass " SECRET "\n"});
	struct monitor *m;
	struct trigger t;
	json_t *actor;
	struct run r;
	pid_t pid;

	file_write(named, "");
	file_write(policy, "evidence:\n  keep-executables: 64\n");
	m = monitor_start("--evidence", dir, "--policy", policy, NULL);
	run_command(10000, "redis-cli", "-a", SECRET, "-p", str("%d", s->plain_port), "set", SECRET,
		    SECRET);
	pid = child_start(
		(const char *const[]){"env", "TOKEN=" SECRET, SECRET "=x", "bash", "-c",
				      str("exec 3<'%s'; exec 5<>/dev/tcp/127.0.0.1/%d; "
					  "echo 'AUTH " SECRET "' >&5; exec 4</proc/%d/mem; "
					  "echo ready; sleep 60; true",
					  named, s->plain_port, s->pid),
				      SECRET, NULL},
		&(struct child_opts){.out = ready});
	require(file_wait(ready, "ready", 8000), "it did not act");
	t = trigger_stay("disguise", "memfd", trigger_path("hold"), pid_of(s), "mem");
	monitor_sync(m);
	require(reported(m, "mem-read", pid) && reported(m, "mem-read", t.pid), "no alert");
	sleep_ms(2500 * patience);
	stop(m, dir);
	actor = actor_of(shown(dir, NULL, NULL), pid);
	require(has_word(json_object_get(json_object_get(actor, "environment"), "names"),
			 "TOKEN") &&
			json_array_size(json_object_get(actor, "connections")) >= 1 &&
			number_at(actor, "environment", "others") >= 1,
		"it was not looked at: %s", json_dumps(actor, 0));
	record_of(shown(dir, NULL, NULL), "server", "pid", pid_of(s));
	r = run_command(
		20000, "sh", "-c",
		str("mkdir %s && cd %s && e='%s/" MONITOR " evidence' && $e show %s >shown && "
		    "$e export b.tar.zst %s && zstd -dqc b.tar.zst | tar xf - && rm b.tar.zst && "
		    "$e report all.html %s && ls evidence/blob-*",
		    made, made, getcwd(NULL, 0), dir, dir, dir));
	require(r.status == 0, "nothing is made of the log: %s%s", r.out, r.err);
	nowhere(dir);
	nowhere(made);
	require(!strstr(file_read(m->out), SECRET) && !strstr(file_read(m->err), SECRET),
		"it is in the monitor's output");
	server_stop(s, SIGTERM);
}

static const struct test tests[] = {
	TEST("all that is said of an actor is so, and found from its incident", enriched),
	TEST("the layout of a server has addresses, and is the kernel's", layout),
	TEST("an actor has its connections, with the TLS version of those to servers", connected),
	TEST("of an actor that is gone nothing is invented", gone),
	TEST("an executable in no directory is kept if the policy says so", kept),
	TEST("without the policy key no executable is kept", not_kept),
	TEST("every event of severity medium and every incident is in the log", everything),
	TEST("a server has its executable, configuration and certificate", servers),
	TEST("a policy has its digest, also when it is loaded again or refused", policies),
	TEST("a monitor that was stopped or killed left a gap, on the same boot", gaps),
	TEST("the log goes on after another boot of the host, and says so", booted),
	TEST("a clock that was set is in the log", clock_set),
	TEST("of what an actor is given, no secret is in the log, a bundle or a copy", private),
	{},
};

const struct suite evidence_actors_suite = {
	.name = "evidence-actors", .setup = setup, .tests = tests};
